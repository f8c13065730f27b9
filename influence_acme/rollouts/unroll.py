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
import numpy as np

from influence_acme import one_core
from influence_acme.rollouts import layout, records, steps
from influence_acme.rollouts import vector_environment as worlds_lib
from influence_acme.system import types as system_types


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
  policy: system_types.JointPolicy,
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
  # Both functions ask for its shapes, and one calls it: it is traced once.
  add_row = jax.jit(
    functools.partial(steps.add_row, worlds, policy), inline=True
  )
  begin = jax.jit(functools.partial(_begin, worlds, policy, add_row))
  advance = one_core.jit(
    functools.partial(_advance, add_row, policy.delay, unroll_length),
    donate_argnums=1,
  )

  def start(
    learned: records.Learned, world_keys: chex.PRNGKey, keys: chex.PRNGKey
  ) -> tuple[records.Progress, records.Episodes]:
    progress, parts = begin(learned, world_keys, keys), []
    for _ in range(1 + policy.delay):
      progress, episodes, _ = advance(learned, progress, np.int32(1))
      parts.append(jax.tree_util.tree_map(lambda x: x[:1], episodes))
    return progress, jax.tree_util.tree_map(
      lambda *x: np.concatenate(x), *parts
    )

  def unroll(
    learned: records.Learned, progress: records.Progress
  ) -> tuple[records.Progress, records.Episodes, records.Sequences]:
    return advance(learned, progress, np.int32(unroll_length))

  return Rollout(start, unroll)


def _advance(
  add_row: Callable[..., Any],
  delay: int,
  unroll_length: int,
  learned: records.Learned,
  progress: records.Progress,
  num_rows: chex.Numeric,
) -> tuple[records.Progress, records.Episodes, records.Sequences]:
  """Adds rows, at most T; room is made for T, so that it is compiled once.

  What comes of fewer has zeros after them, and its sequences mean nothing.
  """

  def body(t, carry):
    state, rows = carry
    state, row = add_row(learned, state)
    return state, jax.tree_util.tree_map(
      lambda x, y: jax.lax.dynamic_update_index_in_dim(x, y, t, axis=0),
      rows,
      row,
    )

  _, room = jax.eval_shape(add_row, learned, progress.state)
  carry = progress.state, _zeros(room, unroll_length)
  state, (new, episodes) = jax.lax.fori_loop(0, num_rows, body, carry)
  rows = jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x, y]), progress.held, new
  )
  held = jax.tree_util.tree_map(
    lambda x: jax.lax.dynamic_slice_in_dim(x, num_rows, 1 + delay), rows
  )
  return (
    records.Progress(state, held),
    episodes,
    layout.to_sequences(rows, delay),
  )


def _zeros(tree: Any, length: int) -> Any:
  """Returns zeros [length, ...] for each array, or shape, of a tree."""
  return jax.tree_util.tree_map(
    lambda x: jnp.zeros((length, *x.shape), x.dtype), tree
  )


def _begin(
  worlds: worlds_lib.Worlds,
  policy: system_types.JointPolicy,
  add_row: Callable[..., Any],
  learned: records.Learned,
  world_keys: chex.PRNGKey,
  keys: chex.PRNGKey,
) -> records.Progress:
  """Starts the first episode of every environment; no row is there yet."""
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
  if policy.delay:
    # Before the first row there is none, but what it is judged by has a shape.
    played = jax.eval_shape(
      functools.partial(steps.play, worlds, policy), learned, state
    )
    nothing = jax.tree_util.tree_map(jnp.zeros_like, played.judged)
    state = state._replace(judged=nothing)
  _, (row, _) = jax.eval_shape(add_row, learned, state)
  return records.Progress(state, _zeros(row, 1 + policy.delay))
