"""Arranges the rows of an unroll for a replay, or directly for the learner.

Letters: T steps, N agents, B environments.
"""

from collections.abc import Mapping
from typing import Any

import chex
import jax
import jax.numpy as jnp

from influence_acme import networks
from influence_acme.rollouts import records, steps
from influence_acme.system import sequences
from influence_acme.system import types as system_types


def to_replay(rows: records.RolloutStep, delay: int) -> records.Sequences:
  """Arranges rows as the items of a replay, [B, T + 1, N, ...].

  Args:
    rows: [T + 1, N, B, ...], and one more if influence is known one step late.
    delay: 1 if influence is known one step late, else 0.

  Returns:
    B sequences.
  """
  rows, fields = _by_step(rows, delay)
  return records.Sequences(
    observation=_batch_first(rows.observation),
    action=_batch_first(fields['action']),
    reward=_batch_first(fields['reward']),
    discount=fields['discount'].T,
    start_of_episode=rows.start_of_episode.T,
    extras={
      **_batch_first(fields['extras']),
      'core_state': jax.tree_util.tree_map(
        lambda x: jnp.swapaxes(x[0], 0, 1), rows.core_state
      ),
      'learner_steps': fields['learner_steps'].T,
      'extrinsic': _batch_first(fields['extrinsic']),
      'influence': _batch_first(fields['influence']),
    },
  )


def to_learner(rows: records.RolloutStep, delay: int) -> sequences.Sequences:
  """Arranges rows as the batch of an update, [N, T + 1, B, ...].

  Args:
    rows: as of `to_replay`.
    delay: as of `to_replay`.

  Returns:
    The batch.
  """
  rows, fields = _by_step(rows, delay)
  actions = system_types.actions_of(fields['action'])
  num_agents = actions.shape[1]

  def agents_first(x: chex.Array) -> chex.Array:
    return jnp.swapaxes(x, 0, 1)

  def for_all(x: chex.Array) -> chex.Array:
    return jnp.broadcast_to(x, (num_agents, *x.shape))

  messages = None
  if isinstance(fields['action'], Mapping):
    messages = sequences.Messages(
      agents_first(fields['action']['message']),
      agents_first(fields['extras']['message_logits']),
    )
  first = jax.tree_util.tree_map(lambda x: x[0], rows.core_state)
  return sequences.Sequences(
    observation={k: agents_first(x) for k, x in rows.observation.items()},
    own_actions=agents_first(actions),
    actions=for_all(jnp.moveaxis(actions, 1, -1)),
    reward=agents_first(fields['reward']),
    extrinsic=agents_first(fields['extrinsic']),
    influence=agents_first(fields['influence']),
    discount=for_all(fields['discount']),
    start_of_episode=for_all(rows.start_of_episode),
    behaviour_logits=agents_first(fields['extras']['logits']),
    core_state=networks.CoreState(*first),
    messages=messages,
  )


def _by_step(
  rows: records.RolloutStep, delay: int
) -> tuple[records.RolloutStep, dict[str, Any]]:
  """Moves influence to its rows, and sets padding to zero.

  Args:
    rows: as of `to_replay`.
    delay: as of `to_replay`.

  Returns:
    T + 1 rows, and the arrays that are zero in padding, by name: [T + 1, N, B,
    ...], or [T + 1, B] if all agents share them.
  """
  influence = rows.influence
  if delay:
    influence = influence[1:]
    rows = jax.tree_util.tree_map(lambda x: x[:-1], rows)

  def of_steps(x: chex.Array) -> chex.Array:
    padding = jnp.broadcast_to(rows.is_padding[:, None], x.shape[:3])
    return steps.zero_where(padding, x)

  by_agent = {
    'action': rows.actions,
    'reward': rows.shaped + rows.weight[..., None] * influence,
    'extrinsic': rows.extrinsic,
    'influence': influence,
    'extras': rows.extras,
  }
  return rows, {
    **jax.tree_util.tree_map(of_steps, by_agent),
    'discount': steps.zero_where(rows.is_padding, rows.discount),
    'learner_steps': jnp.where(rows.is_padding, 0, rows.learner_steps[:, None]),
  }


def _batch_first(tree: Any) -> Any:
  """Transposes [T + 1, N, B, ...] to [B, T + 1, N, ...]."""
  return jax.tree_util.tree_map(lambda x: jnp.moveaxis(x, 2, 0), tree)
