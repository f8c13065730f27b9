"""T steps of all agents in many environments: one compiled call.

The rows are those that `SequenceAdder` writes with EndBehavior.CONTINUE and an
overlap of one: an episode of three steps and the next one, T = 4,

    row                0    1    2    3    4    5    6    7    8
    observation        o0   o1   o2   o3   p0   p1   p2   p3   q0
    action             a0   a1   a2   none b0   b1   b2   none c0
    start_of_episode   1    0    0    0    1    0    0    0    1
    sequences          |-----------------------|
                                           |-------------------|

A call to `unroll` computes T rows. To complete the sequence's last row it takes
the policy's next action, so that a sequence begins with the last row of the one
before, which is held: rows 0 to 4 above are one held and four new ones. Where
influence shows one step late, two rows are held. The row of an episode's last
observation costs no step: there the environment starts its next episode, and
what the policy chose is dropped.

Letters: T steps, B environments, N agents.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import one_core
from influence_acme.multiagent import policy as policy_lib
from influence_acme.rollouts import layout, records
from influence_acme.rollouts import worlds as worlds_lib


class Rollout(NamedTuple):
  """The compiled functions of a rollout.

  Attributes:
    start: (Learned, the environments' keys uint32 [B, 2], the agents' keys
      uint32 [B, 2]) -> (Progress, Episodes).
    unroll: (Learned, Progress) -> (Progress, Episodes, Sequences); the
      Progress that it takes is donated.
  """

  start: Callable[..., tuple[records.Progress, records.Episodes]]
  unroll: Callable[
    ..., tuple[records.Progress, records.Episodes, records.Sequences]
  ]


# Actors of one policy share what is compiled.
@functools.lru_cache(maxsize=8)
def make_rollout(
  worlds: worlds_lib.Worlds,
  policy: policy_lib.JointPolicy,
  unroll_length: int,
) -> Rollout:
  """Makes the functions of a rollout.

  Args:
    worlds: the environments.
    policy: the population's.
    unroll_length: T.

  Returns:
    The functions, compiled when they are first called.
  """

  def scan(learned: records.Learned, state: records.State, length: int):
    step = functools.partial(_step, worlds, policy, learned)
    state, (rows, episodes) = jax.lax.scan(step, state, None, length)
    return state, rows, episodes

  @jax.jit
  def start(
    learned: records.Learned, world_keys: chex.PRNGKey, keys: chex.PRNGKey
  ):
    state = _begin(worlds, policy, learned, world_keys, keys)
    state, rows, episodes = scan(learned, state, 1 + policy.delay)
    return records.Progress(state, rows), episodes

  def unroll(learned: records.Learned, progress: records.Progress):
    state, new, episodes = scan(learned, progress.state, unroll_length)
    rows = jax.tree_util.tree_map(
      lambda x, y: jnp.concatenate([x, y]), progress.held, new
    )
    held = jax.tree_util.tree_map(lambda x: x[unroll_length:], rows)
    return (
      records.Progress(state, held),
      episodes,
      layout.to_sequences(rows, policy.delay),
    )

  return Rollout(start, one_core.jit(unroll, donate_argnums=1))


def _begin(
  worlds: worlds_lib.Worlds,
  policy: policy_lib.JointPolicy,
  learned: records.Learned,
  world_keys: chex.PRNGKey,
  keys: chex.PRNGKey,
) -> records.State:
  """Starts the first episode of every environment."""
  batch_size = keys.shape[0]
  world_state, outcome = worlds.reset(world_keys)
  state = records.State(
    worlds=world_state,
    outcome=outcome,
    core_state=policy.initial_state(batch_size),
    judged=(),
    smoothed=jnp.zeros_like(outcome.reward),
    keys=keys,
    num_steps=jnp.zeros(batch_size, jnp.uint32),
    totals=records.Totals(
      returns=jnp.zeros_like(outcome.reward),
      num_paid=jnp.zeros(outcome.reward.shape, jnp.int32),
      paid_time=jnp.zeros_like(outcome.reward),
      num_steps=jnp.zeros(batch_size, jnp.int32),
    ),
  )
  if not policy.delay:
    return state
  # There is no row before the first one, but what it is judged by has a shape.
  played = jax.eval_shape(
    lambda *args: _play(worlds, policy, *args), learned, state
  )
  nothing = jax.tree_util.tree_map(
    lambda x: jnp.zeros(x.shape, x.dtype), played.judged
  )
  return state._replace(judged=nothing)


def _play(
  worlds: worlds_lib.Worlds,
  policy: policy_lib.JointPolicy,
  learned: records.Learned,
  state: records.State,
) -> records.Played:
  """Plays one step, or starts the next episode, of every environment."""
  observation = state.outcome.observation
  step_keys = jax.vmap(jax.random.fold_in)(state.keys, state.num_steps)
  keys = policy_lib.agent_keys(step_keys, len(policy.agent_ids))
  decision = policy.act(learned.params, observation, state.core_state, keys)
  world_state, outcome = worlds.step(state.worlds, decision.actions)
  core_state, inputs = policy.observe(
    learned.params,
    observation,
    state.core_state,
    decision,
    outcome.observation,
    outcome.is_last,
  )
  judged = policy_lib.Judged(decision.actions, inputs)
  return records.Played(decision, world_state, outcome, core_state, judged)


def _step(
  worlds: worlds_lib.Worlds,
  policy: policy_lib.JointPolicy,
  learned: records.Learned,
  state: records.State,
  _: None,
) -> tuple[records.State, tuple[records.Row, records.Episodes]]:
  """Makes one row: a step, or where an episode has ended the dummy row."""
  is_dummy = state.outcome.is_last  # The environment's step starts the next.
  decision, world_state, outcome, core_state, judged = _play(
    worlds, policy, learned, state
  )
  # Judged within the loop: what it takes is much larger than the rows.
  at_end: Any = ()
  if policy.delay:
    # Nobody answers to an episode's last step.
    zeros = jnp.zeros_like(outcome.reward)
    last, at_end = (
      policy.at_end(x) if policy.at_end else zeros
      for x in (state.judged, judged)
    )
    influence = policy.influence(state.judged, judged)
    influence = jnp.where(is_dummy, last, influence)
  else:
    influence = policy.influence(judged, None)
  shaped, smoothed = outcome.reward, state.smoothed
  if policy.shape is not None:
    shaped, smoothed = policy.shape(outcome.reward, state.smoothed)
  row = records.Row(
    observation=state.outcome.observation,
    actions=decision.actions,
    extrinsic=outcome.reward,
    shaped=shaped,
    discount=outcome.discount,
    start_of_episode=state.outcome.is_first,
    is_dummy=is_dummy,
    extras=decision.extras,
    core_state=state.core_state,
    influence=influence,
    weight=learned.weight,
    learner_steps=learned.learner_steps,
  )
  episodes = records.Episodes(
    is_step=~is_dummy,
    ended=outcome.is_last,
    totals=_add(state.totals, outcome.reward, is_dummy),
    events=outcome.events,
    influence=influence,
    at_end=at_end,
    choices=jax.tree_util.tree_map(lambda x: x[:, 0], decision.actions),
  )
  state = records.State(
    worlds=world_state,
    outcome=outcome,
    core_state=jax.tree_util.tree_map(
      # An episode starts from zeros: [N, B, ...] where [B] is a dummy.
      lambda x: layout.zero_where(jnp.broadcast_to(is_dummy, x.shape[:2]), x),
      core_state,
    ),
    judged=judged if policy.delay else (),
    smoothed=jnp.where(is_dummy, 0, smoothed),
    keys=state.keys,
    num_steps=state.num_steps + ~is_dummy,
    totals=episodes.totals,
  )
  return state, (row, episodes)


def _add(
  totals: records.Totals, reward: chex.Array, is_dummy: chex.Array
) -> records.Totals:
  """Adds a step, float32 [N, B], or begins anew where the row is a dummy."""
  is_paid = reward > 0
  added = records.Totals(
    returns=totals.returns + reward,
    num_paid=totals.num_paid + is_paid,
    paid_time=totals.paid_time + is_paid * totals.num_steps,
    num_steps=totals.num_steps + 1,
  )
  return jax.tree_util.tree_map(lambda x: jnp.where(is_dummy, 0, x), added)
