"""What one agent learns from: V-trace actor-critic, entropy and the MOA.

An agent that speaks has two actor-critics, of the action and of the message.

Rows of a sequence (see `ops.episode_masks`): row t holds what was seen before
step t, the step itself, and its reward. The last row only bootstraps. A dummy
row holds an episode's last observation; it is no step and has weight 0 in
every loss, and V-trace ends before it, bootstrapping from its value.

Letters: T steps (T + 1 rows), B sequences, N agents, J = N - 1 others, A
actions, M symbols, U hidden units.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.agents.influence import actor_critic, turns
from influence_acme.agents.influence import config as config_lib

Metrics = Mapping[str, chex.Array]


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


# (params, own_index, sequences of one agent, entropy cost []) ->
# (loss [], metrics).
LossFn = Callable[..., tuple[chex.Array, Metrics]]


@functools.lru_cache(maxsize=8)
def make_loss(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> LossFn:
  """Returns one agent's loss: V-trace actor-critic, entropy and MOA."""

  def loss_fn(params, own_index, sequences: Sequences, entropy_cost):
    start = sequences.start_of_episode
    masks = ops.episode_masks(start)
    observation = dict(sequences.observation)
    if config.takes_turns:
      observation['influencers'] = turns.what_is_seen(
        own_index, sequences.actions, config.num_influencers
      )
    output = agent.unroll(
      params,
      observation,
      sequences.actions,
      start,
      sequences.core_state,
    )
    heads = _heads(output, sequences, config)
    # An action and a message are chosen together: one ratio serves both.
    rhos = math.prod(map(actor_critic.importance_ratio, heads))
    metrics, *of_messages = [
      actor_critic.losses(
        head, rhos, sequences.discount, masks.is_dummy, config
      )
      for head in heads
    ]
    loss = (
      metrics['policy_loss']
      + config.value_cost * metrics['value_loss']
      - entropy_cost * metrics['entropy']
    )
    for message in of_messages:
      loss += (
        config.message_loss_weight
        * (message['policy_loss'] + config.value_cost * message['value_loss'])
        - config.message_entropy_cost * message['entropy']
      )
      metrics.update({f'message_{k}': v for k, v in message.items()})
    if output.moa_logits is not None:
      moa, error = _moa_loss(
        output, own_index, sequences, masks.episode_mask, config
      )
      loss += config.moa_loss_weight * moa.loss
      metrics.update(
        moa_loss=moa.loss,
        moa_accuracy=moa.accuracy,
        moa_calibration_error=error,
      )
    return loss, dict(metrics, loss=loss)

  return loss_fn


def _moa_loss(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: Sequences,
  episode_mask: chex.Array,
  config: config_lib.InfluenceConfig,
) -> tuple[ops.MOALoss, chex.Array]:
  """Returns the loss of one agent's model of the others, and its calibration.

  Args:
    output: of all T + 1 rows.
    own_index: int [], which of the N agents this one is.
    sequences: of this agent.
    episode_mask: float32 [T + 1, B], see `ops.episode_masks`.
    config: for whether only those in view count.

  Returns:
    The loss, and the expected calibration error, float32 [].
  """
  others = types.others(own_index, sequences.actions.shape[-1])
  visible = jnp.take(sequences.observation['visible'], others, axis=-1)
  actions = jnp.take(sequences.actions, others, axis=-1)
  moa = ops.moa_loss(
    output.moa_logits,
    actions,
    mask=visible if config.moa_only_visible else None,
    episode_mask=episode_mask,
  )
  assert output.moa_logits is not None
  predicted = jax.lax.stop_gradient(output.moa_logits)[:-1]
  calibration = ops.calibration(predicted, actions[1:], weight=moa.weight)
  return moa, calibration.error


def _heads(
  output: networks_lib.UnrollOutput,
  sequences: Sequences,
  config: config_lib.InfluenceConfig,
) -> list[actor_critic.Head]:
  """Returns the action's head, and that of the message where there is one.

  Who speaks is paid for influence by what is said, and so only the message's
  head learns from it: alpha * e + w * c, where a row's reward is e + w * c.
  """
  action = actor_critic.Head(
    output.logits,
    output.value,
    sequences.own_actions,
    sequences.behaviour_logits,
    sequences.reward,
  )
  speech = sequences.speech
  if speech is None or output.message is None:
    return [action]
  less = config.message_extrinsic_weight - 1.0
  message = actor_critic.Head(
    *output.message,
    speech.symbols,
    speech.behaviour_logits,
    sequences.reward + less * speech.extrinsic,
  )
  return [action._replace(reward=speech.extrinsic), message]


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
  action = data.action['action'] if speaks else data.action
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
