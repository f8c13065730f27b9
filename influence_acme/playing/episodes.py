"""Plays one episode of each of many environments, in compiled calls.

An environment whose episode has ended waits for the others, so that long
episodes count as often as short ones.

Letters: B environments, N agents, T steps of one call.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import xla_threads
from influence_acme.rollouts import finite
from influence_acme.rollouts import vector_environment as vector_lib
from influence_acme.system import influence_matrix
from influence_acme.system import types as system_types


class State(NamedTuple):
  """State of all environments between two steps.

  Attributes:
    environment: of the environments.
    step: their last output.
    core_state: of the policy, [N, B, ...].
    before: the influence step before; () if no influence is known late.
    keys: uint32 [B, 2], of the agents' chance.
    num_steps: int32 [].
    is_over: bool [B], whether the episode has ended.
    lengths: int32 [B], steps so far.
  """

  environment: vector_lib.State
  step: vector_lib.VectorStep
  core_state: networks_lib.CoreState
  before: Any
  keys: chex.PRNGKey
  num_steps: chex.Array
  is_over: chex.Array
  lengths: chex.Array


class Frame(NamedTuple):
  """Holds a step of all environments, and a film frame of the first.

  Attributes:
    state: of the first environment after the step.
    views: [N, ...], what each agent observes in it.
    messages: int32 [N, B], sent in the step; None of agents without messages.
    actions: int32 [N, B], of the step; None before the first.
    rewards: float32 [N, B].
    influence: float32 [N, B, N], nats, known with the step, so that of the
      step before if there is one: of the first axis' agent on the last axis';
      () of agents without influence inputs, and before the first step.
    events: of the episodes so far, int32 [N, B] or [B] each.
    is_finite: marks of `rollouts.finite`, bool [N, B] each, of episodes that
      were not over before.
  """

  state: Any
  views: chex.Array
  messages: Any
  actions: Any
  rewards: chex.Array
  influence: Any
  events: dict[str, chex.Array]
  is_finite: dict[str, chex.Array]


class Functions(NamedTuple):
  """The compiled functions.

  Attributes:
    begin: (params, keys uint32 [B, 2], is_over bool [B]) -> (State, first
      Frame); each key is of all chance in its episode.
    advance: (params, State) -> (State after T steps, Frames [T, ...]).
  """

  begin: Callable[..., tuple[State, Frame]]
  advance: Callable[..., tuple[State, Frame]]


# Evaluations of one policy share what is compiled.
@functools.lru_cache(maxsize=8)
def make_functions(
  environment: vector_lib.VectorEnvironment,
  policy: system_types.JointPolicy,
  num_steps: int,
  greedy: bool,
) -> Functions:
  """Makes the functions of T steps, compiled when they are first called."""
  step = functools.partial(_step, environment, policy, greedy)

  def begin(params, keys, is_over):
    return _begin(environment, policy, step, params, keys, is_over)

  def advance(params, state):
    return jax.lax.scan(
      lambda state, _: step(params, state), state, None, num_steps
    )

  return Functions(xla_threads.jit(begin), xla_threads.jit(advance))


def _begin(
  environment: vector_lib.VectorEnvironment,
  policy: system_types.JointPolicy,
  step: Callable[..., tuple[State, Frame]],
  params: chex.ArrayTree,
  keys: chex.PRNGKey,
  is_over: chex.Array,
) -> tuple[State, Frame]:
  """Starts an episode of each environment."""
  batch_size = len(keys)
  environment_keys, agent_keys = jnp.swapaxes(
    jax.vmap(jax.random.split)(keys), 0, 1
  )
  environment_state, first = environment.reset(environment_keys)
  state = State(
    environment=environment_state,
    step=first,
    core_state=policy.initial_state(batch_size),
    before=(),
    keys=agent_keys,
    num_steps=jnp.int32(0),
    is_over=is_over,
    lengths=jnp.zeros(batch_size, jnp.int32),
  )
  # Zeros of the shapes that a step gives.
  after, _ = jax.eval_shape(step, params, state)
  before = jax.tree_util.tree_map(
    lambda x: jnp.zeros(x.shape, x.dtype), after.before
  )
  state = state._replace(before=before)
  return state, _frame(state, None, (), is_over)


def _step(
  environment: vector_lib.VectorEnvironment,
  policy: system_types.JointPolicy,
  greedy: bool,
  params: chex.ArrayTree,
  state: State,
) -> tuple[State, Frame]:
  """Plays one step of each environment."""
  observation = state.step.observation
  step_keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(
    state.keys, state.num_steps
  )
  output = policy.act(
    params,
    observation,
    state.core_state,
    system_types.agent_keys(step_keys, len(policy.agent_ids)),
    greedy=greedy,
  )
  environment_state, step = environment.step(state.environment, output.actions)
  core_state, inputs = policy.observe(
    params,
    observation,
    state.core_state,
    output,
    step.observation,
    step.is_last,
  )
  now = system_types.InfluenceStep(output.actions, inputs)
  new = State(
    environment=environment_state,
    step=step,
    core_state=core_state,
    before=now if influence_matrix.has_delay(now) else (),
    keys=state.keys,
    num_steps=state.num_steps + 1,
    is_over=state.is_over | step.is_last,
    lengths=state.lengths + ~state.is_over,
  )
  influence = _influence(state, now, step.is_last) if inputs else ()
  return new, _frame(new, output.actions, influence, state.is_over)


def _influence(
  state: State, now: system_types.InfluenceStep, is_last: chex.Array
) -> chex.Array:
  """Returns the influence that is known with a step, see `Frame`.

  Args:
    state: before the step.
    now: the step.
    is_last: bool [B], whether it ended its episode.
  """
  if not influence_matrix.has_delay(now):
    return influence_matrix.influence_matrix(now, None)
  # That of the step before; and of an episode's last step as far as nobody
  # has to reply to it.
  before = state.before or now  # () in the call for shapes alone.
  no_reply = now._replace(
    inputs={
      name: {**x, 'mask': jnp.zeros_like(x['mask'])}
      for name, x in now.inputs.items()
    }
  )
  of_before = influence_matrix.influence_matrix(before, now)
  of_last = influence_matrix.influence_matrix(now, no_reply)
  of_before = jnp.where(state.num_steps > 0, of_before, 0)
  return of_before + jnp.where(is_last[:, None], of_last, 0)


def _frame(
  state: State, actions: Any, influence: Any, was_over: chex.Array
) -> Frame:
  """Returns what happened in a step; actions are None before the first."""
  marks = finite.mark(state.step)
  return Frame(
    jax.tree_util.tree_map(lambda x: x[0], state.environment.environment),
    state.step.observation['world'][:, 0],
    actions['message'] if isinstance(actions, dict) else None,
    None if actions is None else system_types.actions_of(actions),
    state.step.reward,
    influence,
    state.step.events,
    {name: is_finite | was_over for name, is_finite in marks.items()},
  )
