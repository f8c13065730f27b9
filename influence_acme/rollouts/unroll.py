"""Unrolls T steps of all agents in many environments, in one compiled call.

The rows are those that `SequenceAdder` writes with EndBehavior.CONTINUE and an
overlap of one: an episode of three steps and the next one, T = 4,

    row                0    1    2    3    4    5    6    7    8
    observation        o0   o1   o2   o3   p0   p1   p2   p3   q0
    action             a0   a1   a2   none b0   b1   b2   none c0
    start_of_episode   1    0    0    0    1    0    0    0    1
    sequences          |-----------------------|
                                           |-------------------|

A call to `unroll` computes T rows. A sequence's last row needs the policy's
next action, so that a sequence begins with the last row of the one before, the
overlap: rows 0 to 4 above are one overlap row and four new ones. If influence
is known one step late, the overlap is two rows. The row of an episode's last
observation takes no environment step: the environment starts its next episode
there, and the policy's choice is dropped.

Letters: T steps, B environments, N agents.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import xla_threads
from influence_acme.rollouts import finite, layout, records, steps
from influence_acme.rollouts import vector_environment as vector_lib
from influence_acme.system import types as system_types


class Rollout(NamedTuple):
  """Holds the compiled functions of a rollout.

  Attributes:
    start: (ActorParams, the environments' keys uint32 [B, 2], the agents' keys
      uint32 [B, 2]) -> (RolloutState, Episodes, of the first observations what
      `finite.check` takes).
    unroll: (ActorParams, RolloutState) -> (RolloutState, Episodes, Sequences);
      the RolloutState that it takes is donated.
    is_compiled: whether JAX can trace them, environments and all.
  """

  start: Callable[
    ..., tuple[records.RolloutState, records.Episodes, dict[str, chex.Array]]
  ]
  unroll: Callable[
    ..., tuple[records.RolloutState, records.Episodes, records.Sequences]
  ]
  is_compiled: bool = True


# Actors of one policy share compiled functions.
@functools.lru_cache(maxsize=8)
def make_rollout(
  environment: vector_lib.VectorEnvironment,
  policy: system_types.JointPolicy,
  unroll_length: int,
  arrange: Callable[..., Any] = layout.to_replay,
) -> Rollout:
  """Makes the functions of a rollout.

  Args:
    environment: the environments.
    policy: the population's.
    unroll_length: T.
    arrange: of `layout`; arranges rows for a replay or for the learner.

  Returns:
    The functions, compiled when they are first called.
  """
  # Both functions need its shapes, and one calls it: it is traced once.
  add_row = jax.jit(
    functools.partial(steps.add_row, environment, policy), inline=True
  )

  @jax.jit
  def begin(actor_params, environment_keys, keys):
    environment_state, step = environment.reset(environment_keys)
    state = first_state(policy, actor_params, environment_state, step, keys)
    return state, finite.mark(step)

  advance = xla_threads.jit(
    functools.partial(_advance, add_row, arrange, policy.delay, unroll_length),
    donate_argnums=1,
  )

  def start(
    actor_params: records.ActorParams,
    environment_keys: chex.PRNGKey,
    keys: chex.PRNGKey,
  ) -> tuple[records.RolloutState, records.Episodes, dict[str, chex.Array]]:
    state, is_finite = begin(actor_params, environment_keys, keys)
    parts = []
    for _ in range(1 + policy.delay):
      state, episodes, _ = advance(actor_params, state, np.int32(1))
      parts.append(jax.tree_util.tree_map(lambda x: x[:1], episodes))
    episodes = jax.tree_util.tree_map(lambda *x: jnp.concatenate(x), *parts)
    return state, episodes, is_finite

  def unroll(
    actor_params: records.ActorParams, state: records.RolloutState
  ) -> tuple[records.RolloutState, records.Episodes, records.Sequences]:
    return advance(actor_params, state, np.int32(unroll_length))

  return Rollout(start, unroll)


def _advance(
  add_row: Callable[..., Any],
  arrange: Callable[..., Any],
  delay: int,
  unroll_length: int,
  actor_params: records.ActorParams,
  rollout: records.RolloutState,
  num_rows: chex.Numeric,
) -> tuple[records.RolloutState, records.Episodes, records.Sequences]:
  """Computes at most T rows in arrays of T rows, so that it is compiled once.

  After fewer rows the arrays are zero, and their sequences are not valid.
  """

  def body(t, carry):
    state, rows = carry
    state, row = add_row(actor_params, state)
    return state, jax.tree_util.tree_map(
      lambda x, y: jax.lax.dynamic_update_index_in_dim(x, y, t, axis=0),
      rows,
      row,
    )

  _, room = jax.eval_shape(add_row, actor_params, rollout.state)
  carry = rollout.state, _zeros(room, unroll_length)
  state, (new, episodes) = jax.lax.fori_loop(0, num_rows, body, carry)
  rows = jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x, y]), rollout.overlap, new
  )
  overlap = jax.tree_util.tree_map(
    lambda x: jax.lax.dynamic_slice_in_dim(x, num_rows, 1 + delay), rows
  )
  return (
    records.RolloutState(state, overlap),
    episodes,
    arrange(rows, delay),
  )


def _zeros(tree: Any, length: int) -> Any:
  """Returns zeros [length, ...] for each array, or shape, of a tree."""
  return jax.tree_util.tree_map(
    lambda x: jnp.zeros((length, *x.shape), x.dtype), tree
  )


def first_state(
  policy: system_types.JointPolicy,
  actor_params: records.ActorParams,
  environment_state: Any,
  step: vector_lib.VectorStep,
  keys: chex.PRNGKey,
) -> records.RolloutState:
  """Returns the state before any row, with zeros as overlap.

  Args:
    policy: the population's.
    actor_params: of the learner.
    environment_state: of the environments.
    step: their first output.
    keys: uint32 [B, 2], of the agents' actions in each environment.
  """
  batch_size = keys.shape[0]
  state = records.ScanState(
    environment=environment_state,
    step=step,
    core_state=policy.initial_state(batch_size),
    influence_step=(),
    smoothed=jnp.zeros_like(step.reward),
    keys=keys,
    num_steps=jnp.zeros(batch_size, jnp.uint32),
    totals=records.Totals(
      returns=jnp.zeros_like(step.reward),
      num_paid=jnp.zeros(step.reward.shape, jnp.int32),
      paid_time=jnp.zeros_like(step.reward),
      num_steps=jnp.zeros(batch_size, jnp.int32),
    ),
  )
  if policy.delay:
    # Before the first row there is none; zeros have its shapes.
    act_output = jax.eval_shape(
      functools.partial(steps.act, policy), actor_params, state
    )
    _, influence_step = jax.eval_shape(
      functools.partial(steps.observe, policy),
      actor_params,
      state,
      act_output,
      step,
    )
    state = state._replace(
      influence_step=jax.tree_util.tree_map(
        lambda x: jnp.zeros(x.shape, x.dtype), influence_step
      )
    )

  def first_row(actor_params, state, step):
    act_output = steps.act(policy, actor_params, state)
    return steps.finish_row(policy, actor_params, state, act_output, (), step)

  _, (row, _) = jax.eval_shape(first_row, actor_params, state, step)
  return records.RolloutState(state, _zeros(row, 1 + policy.delay))
