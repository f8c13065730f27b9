"""Brings what was unrolled to the rows of a replay.

Letters: T steps, B environments, N agents.
"""

import chex
import jax
import jax.numpy as jnp

from influence_acme.rollouts import records


def to_sequences(rows: records.Row, delay: int) -> records.Sequences:
  """Brings influence to its rows, and rows to the replay's layout.

  Args:
    rows: T + 1 of them, and one more if influence shows one step late.
    delay: 1 if it does, else 0.

  Returns:
    The sequences.
  """
  influence = rows.influence  # [T + 1, N, B]
  if delay:
    influence = influence[1:]
    rows = jax.tree_util.tree_map(lambda x: x[:-1], rows)

  def of_steps(x: chex.Array) -> chex.Array:
    """Brings [T + 1, N, B, ...] to [B, T + 1, N, ...], dummy rows zero."""
    x = jnp.moveaxis(x, 2, 0)
    return zero_where(rows.is_dummy.T, x)

  learner_steps = jnp.where(rows.is_dummy, 0, rows.learner_steps[:, None])
  return records.Sequences(
    observation={
      name: jnp.moveaxis(x, 2, 0) for name, x in rows.observation.items()
    },
    action=jax.tree_util.tree_map(of_steps, rows.actions),
    reward=of_steps(rows.shaped + rows.weight[..., None] * influence),
    discount=zero_where(rows.is_dummy, rows.discount).T,
    start_of_episode=rows.start_of_episode.T,
    extras={
      **{name: of_steps(x) for name, x in rows.extras.items()},
      'core_state': jax.tree_util.tree_map(
        lambda x: jnp.swapaxes(x[0], 0, 1), rows.core_state
      ),
      'learner_steps': learner_steps.T,
      'extrinsic': of_steps(rows.extrinsic),
      'influence': of_steps(influence),
    },
  )


def zero_where(condition: chex.Array, x: chex.Array) -> chex.Array:
  """Returns x with zeros where the condition on its first axes holds."""
  ones = (1,) * (x.ndim - condition.ndim)
  return jnp.where(condition.reshape(condition.shape + ones), 0, x)
