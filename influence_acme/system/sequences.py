"""What the learner takes: a batch of the replay, agent by agent.

Letters: T steps (T + 1 rows), B sequences, N agents, A actions, M symbols, U
hidden units.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme.system import types as system_types


class Speech(NamedTuple):
  """What is known of messages; as `Sequences`.

  Attributes:
    symbols: int32 [T + 1, B], the own ones.
    behaviour_logits: float32 [T + 1, B, M].
    extrinsic: float32 [T + 1, B], the environment's reward.
  """

  symbols: chex.Array
  behaviour_logits: chex.Array
  extrinsic: chex.Array


class Sequences(NamedTuple):
  """A batch, time-major; of one agent, or [N, ...] for all.

  Attributes:
    observation: 'world' uint8 [T + 1, B, H, W, 3], 'actions' int32
      [T + 1, B, N] and 'visible' bool [T + 1, B, N]; 'messages' int32
      [T + 1, B, N] of agents that speak.
    own_actions: int32 [T + 1, B].
    actions: int32 [T + 1, B, N], everyone's.
    reward: float32 [T + 1, B], what the agent trains on, not yet scaled.
    discount: float32 [T + 1, B], the environment's.
    start_of_episode: bool [T + 1, B].
    behaviour_logits: float32 [T + 1, B, A].
    core_state: float32 [B, U] each, before the first row.
    speech: of agents that speak.
  """

  observation: Mapping[str, chex.Array]
  own_actions: chex.Array
  actions: chex.Array
  reward: chex.Array
  discount: chex.Array
  start_of_episode: chex.Array
  behaviour_logits: chex.Array
  core_state: networks_lib.CoreState
  speech: Speech | None = None


def _agents_first(state: Any) -> hk.LSTMState | Any:
  """Brings a recurrent state, or an empty one, from [B, N, U] to [N, B, U]."""
  return hk.LSTMState(*(jnp.swapaxes(x, 0, 1) for x in state)) if state else ()


def to_sequences(data: Any) -> Sequences:
  """Brings a batch of rows [B, T + 1, N, ...] to the learner's layout.

  Args:
    data: the replay's steps: stacked timesteps of all agents, as the actor
      adds them, with the recurrent states of the first row alone, [B, N, U].

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
    discount=for_all(data.discount),
    start_of_episode=for_all(data.start_of_episode),
    behaviour_logits=to_front(data.extras['logits']),
    # TensorFlow, which reads the replay, gives look-alikes of our tuples.
    core_state=networks_lib.CoreState(
      *map(_agents_first, data.extras['core_state'])
    ),
    speech=Speech(
      to_front(data.action['message']),
      to_front(data.extras['message_logits']),
      to_front(data.extras['extrinsic']),
    )
    if speaks
    else None,
  )
