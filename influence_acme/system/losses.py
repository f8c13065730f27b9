"""What one agent learns from: V-trace actor-critic, entropy and the MOA.

An agent that speaks has two actor-critics, of the action and of the message.

Rows of a sequence (see `ops.episode_masks`): row t holds what was seen before
step t, the step itself, and its reward. The last row only bootstraps. A dummy
row holds an episode's last observation; it is no step and has weight 0 in
every loss, and V-trace ends before it, bootstrapping from its value.

Letters: T steps (T + 1 rows), B sequences, N agents.
"""

import functools
from collections.abc import Callable, Mapping

import chex
import jax
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.system import basic, variants, vtrace
from influence_acme.system import config as config_lib
from influence_acme.system import sequences as sequences_lib

Metrics = Mapping[str, chex.Array]
# (params, own_index, sequences of one agent, entropy cost []) ->
# (loss [], metrics).
LossFn = Callable[..., tuple[chex.Array, Metrics]]


@functools.lru_cache(maxsize=8)
def make_loss(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> LossFn:
  """Returns one agent's loss: V-trace actor-critic, entropy and MOA.

  Metrics of what the agent does not have, in a mixed population, are NaN.
  """

  def loss_fn(
    params, own_index, sequences: sequences_lib.Sequences, entropy_cost
  ):
    groups = variants.groups(config.variant)
    speaks = variants.is_among(groups.speech, own_index)
    models = variants.is_among(groups.models, own_index)
    masks = ops.episode_masks(sequences.start_of_episode)
    output = agent.unroll(
      params,
      _observation(own_index, sequences, config),
      sequences.actions,
      sequences.start_of_episode,
      sequences.core_state,
    )
    heads = _heads(output, own_index, sequences, config)
    # An action and a message are chosen together: one ratio serves both.
    rhos, *of_symbols = map(vtrace.importance_ratio, heads)
    for ratio in of_symbols:
      rhos *= jnp.where(speaks, ratio, 1.0)
    metrics, *of_messages = [
      vtrace.losses(head, rhos, sequences.discount, masks.is_dummy, config)
      for head in heads
    ]
    loss = (
      metrics['policy_loss']
      + config.value_cost * metrics['value_loss']
      - entropy_cost * metrics['entropy']
    )
    for message in of_messages:
      loss += speaks * (
        config.message_loss_weight
        * (message['policy_loss'] + config.value_cost * message['value_loss'])
        - config.message_entropy_cost * message['entropy']
      )
      for name, value in message.items():
        metrics[f'message_{name}'] = jnp.where(speaks, value, jnp.nan)
    if output.moa_logits is not None:
      moa, error = _moa_loss(
        output, own_index, sequences, masks.episode_mask, config
      )
      loss += models * config.moa_loss_weight * moa.loss
      of_model = {
        'moa_loss': moa.loss,
        'moa_accuracy': moa.accuracy,
        'moa_calibration_error': error,
      }
      for name, value in of_model.items():
        metrics[name] = jnp.where(models, value, jnp.nan)
    return loss, dict(metrics, loss=loss)

  return loss_fn


def _observation(
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Returns what the agent knew in all T + 1 rows."""
  groups = variants.groups(config.variant)
  observation = dict(sequences.observation)
  if config.takes_turns:
    observation['influencers'] = basic.what_is_seen(
      own_index, sequences.actions, config.num_influencers
    )
  if config.speaks:
    observation['messages'] = variants.heard(
      groups.speech, observation['messages']
    )
  knows = {
    name: variants.is_among(who, own_index)
    for name, who in groups.perceive.items()
  }
  return variants.known(knows, observation)


def _moa_loss(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
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
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  config: config_lib.InfluenceConfig,
) -> list[vtrace.Head]:
  """Returns the action's head, and that of the message where there is one.

  Who speaks is paid for influence by what is said, and so only the message's
  head learns from it: alpha * e + w * c, where a row's reward is e + w * c.
  """
  action = vtrace.Head(
    output.logits,
    output.value,
    sequences.own_actions,
    sequences.behaviour_logits,
    sequences.reward,
  )
  speech = sequences.speech
  if speech is None or output.message is None:
    return [action]
  # Alpha is 1 but for who is paid for what it says.
  is_paid, speaks = (
    variants.is_among(who, own_index)
    for who in (
      variants.which(config.variant, variants.PAID),
      variants.groups(config.variant).speech,
    )
  )
  less = is_paid * (config.message_extrinsic_weight - 1.0)
  message = vtrace.Head(
    *output.message,
    speech.symbols,
    speech.behaviour_logits,
    sequences.reward + less * speech.extrinsic,
  )
  reward = jnp.where(speaks, speech.extrinsic, sequences.reward)
  return [action._replace(reward=reward), message]
