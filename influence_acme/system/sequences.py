"""Defines the learner's batch: sequences of the replay, by agent.

Letters: T steps (T + 1 rows), B sequences, N agents, A actions, M symbols, U
hidden units.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import ops
from influence_acme.system import types as system_types


class Messages(NamedTuple):
  """Holds the agents' own messages of a batch, as `Sequences`.

  Attributes:
    symbols: int32 [T + 1, B].
    behaviour_logits: float32 [T + 1, B, M].
  """

  symbols: chex.Array
  behaviour_logits: chex.Array


class Sequences(NamedTuple):
  """Holds a batch, time-major; of one agent, or [N, ...] for all.

  Attributes:
    observation: 'world' [T + 1, B, ...], 'actions' int32 [T + 1, B, N] and
      'visible' bool [T + 1, B, N]; 'messages' int32 [T + 1, B, N] with
      messages, 'alive' bool [T + 1, B, N] where agents may die early.
    own_actions: int32 [T + 1, B].
    actions: int32 [T + 1, B, N], everyone's.
    reward: float32 [T + 1, B], shaped extrinsic + w * influence, unscaled.
    extrinsic: float32 [T + 1, B], the environment's reward.
    influence: float32 [T + 1, B], unweighted, in nats.
    discount: float32 [T + 1, B], the environment's.
    start_of_episode: bool [T + 1, B].
    behaviour_logits: float32 [T + 1, B, A].
    core_state: float32 [B, U] each, before the first row.
    messages: None without messages.
  """

  observation: Mapping[str, chex.Array]
  own_actions: chex.Array
  actions: chex.Array
  reward: chex.Array
  extrinsic: chex.Array
  influence: chex.Array
  discount: chex.Array
  start_of_episode: chex.Array
  behaviour_logits: chex.Array
  core_state: networks_lib.CoreState
  messages: Messages | None = None


def _agents_first(state: Any) -> hk.LSTMState | Any:
  """Transposes a recurrent state, or an empty one, [B, N, U] to [N, B, U]."""
  return hk.LSTMState(*(jnp.swapaxes(x, 0, 1) for x in state)) if state else ()


def to_sequences(data: Any) -> Sequences:
  """Transposes a batch of rows [B, T + 1, N, ...] to the learner's layout.

  Args:
    data: the replay's steps: stacked timesteps of all agents, as added by the
      actor, with the recurrent states of the first row alone, [B, N, U].

  Returns:
    Sequences of all agents, [N, T + 1, B, ...].
  """
  speaks = isinstance(data.action, Mapping)
  action = system_types.actions_of(data.action)
  num_agents = action.shape[2]

  def to_front(x):
    # Pixels move as one long axis, several times faster than as three.
    flat = x.reshape((*x.shape[:3], -1))
    flat = jnp.moveaxis(flat, (2, 1), (0, 1))  # [N, T + 1, B, ...]
    return flat.reshape(flat.shape[:3] + x.shape[3:])

  def for_all(x):
    x = jnp.swapaxes(x, 0, 1)
    return jnp.broadcast_to(x, (num_agents, *x.shape))

  return Sequences(
    observation={k: to_front(v) for k, v in data.observation.items()},
    own_actions=to_front(action),
    actions=for_all(action),
    reward=to_front(data.reward),
    extrinsic=to_front(data.extras['extrinsic']),
    influence=to_front(data.extras['influence']),
    discount=for_all(data.discount),
    start_of_episode=for_all(data.start_of_episode),
    behaviour_logits=to_front(data.extras['logits']),
    # TensorFlow, which reads the replay, returns tuples of another type.
    core_state=networks_lib.CoreState(
      *map(_agents_first, data.extras['core_state'])
    ),
    messages=Messages(
      to_front(data.action['message']),
      to_front(data.extras['message_logits']),
    )
    if speaks
    else None,
  )


def is_padding(sequences: Sequences) -> chex.Array:
  """Finds padding, in the last row too, which `ops.episode_masks` leaves open.

  Args:
    sequences: of one agent.

  Returns:
    bool [T + 1, B]: the row's action, discount and logits are those of padding,
    zeros, or the next row starts an episode.
  """
  before_last = ops.episode_masks(sequences.start_of_episode).is_padding
  is_blank = (sequences.discount == 0) & (sequences.own_actions == 0)
  is_blank &= (sequences.behaviour_logits == 0).all(axis=-1)
  return before_last.at[-1].set(is_blank[-1])


def take(sequences: Sequences, indices: chex.Array) -> Sequences:
  """Returns some sequences of one agent's batch.

  Args:
    sequences: [T + 1, B, ...].
    indices: int32 [M], of the batch axis.
  """
  by_row = {
    name: value
    for name, value in sequences._asdict().items()
    if name != 'core_state'
  }
  return Sequences(
    **jax.tree_util.tree_map(lambda x: x[:, indices], by_row),
    core_state=jax.tree_util.tree_map(
      lambda x: x[indices], sequences.core_state
    ),
  )
