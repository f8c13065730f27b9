"""Computes one agent's loss: actor-critic, entropy and the MOA.

An agent that speaks has two actor-critics, of the action and of the message.

Rows of a sequence (see `ops.episode_masks`): row t holds the observation before
step t, the step itself, and its reward. The last row only bootstraps. A padding
row holds an episode's last observation; it has weight 0 in every loss, and
V-trace ends before it and bootstraps from its value. Rows in which the agent is
dead have weight 0, too, see `deaths`.

Letters: T steps (T + 1 rows), B sequences, N agents.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import chex
import jax
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.system import (
  actor_critic,
  deaths,
  normalisation,
  ppo,
  vtrace,
)
from influence_acme.system import config as config_lib
from influence_acme.system import heads as heads_lib
from influence_acme.system import sequences as sequences_lib

Metrics = Mapping[str, chex.Array]
# (params, own_index, sequences of one agent, entropy cost [], return scale,
# estimates of each head or None) -> (loss [], (metrics, targets of each head)).
LossFn = Callable[..., tuple[chex.Array, tuple[Metrics, list[chex.Array]]]]


# Learners of one configuration share compiled functions.
@functools.lru_cache(maxsize=8)
def make_loss(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> LossFn:
  """Makes one agent's loss: actor-critic, entropy and MOA.

  Without estimates the actor-critic is V-trace, which computes its own targets;
  with estimates it is PPO.

  Metrics that do not apply to an agent of a mixed population are NaN.
  """

  def loss_fn(
    params,
    own_index,
    sequences: sequences_lib.Sequences,
    entropy_cost,
    scale: normalisation.ReturnScale,
    estimates: Sequence[actor_critic.Estimates] | None = None,
  ):
    sequences, is_skipped = deaths.end_return(sequences, own_index)
    output = heads_lib.unroll(agent, config, params, own_index, sequences)
    heads = heads_lib.make_heads(output, own_index, sequences, scale, config)
    by_head = _actor_critic(
      heads, own_index, sequences, is_skipped, estimates, config
    )
    targets = [each.pop('target') for each in by_head if 'target' in each]
    metrics, *of_messages = by_head
    loss = (
      metrics['policy_loss']
      + config.value_cost * metrics['value_loss']
      - entropy_cost * metrics['entropy']
    )
    for message in of_messages:
      speaks = heads_lib.is_member(config, own_index, 'communication')
      loss += speaks * (
        config.message_loss_weight
        * (message['policy_loss'] + config.value_cost * message['value_loss'])
        - config.message_entropy_cost * message['entropy']
      )
      for name, value in message.items():
        metrics[f'message_{name}'] = jnp.where(speaks, value, jnp.nan)
    if output.moa_logits is not None:
      models = heads_lib.is_member(config, own_index, 'moa')
      moa, of_model = _moa_loss(output, own_index, sequences, config)
      loss += models * config.moa_loss_weight * moa.loss
      for name, value in of_model.items():
        metrics[name] = jnp.where(models, value, jnp.nan)
    return loss, (dict(metrics, loss=loss), targets)

  return loss_fn


def _actor_critic(
  heads: Sequence[actor_critic.Head],
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  is_skipped: chex.Array,
  estimates: Sequence[actor_critic.Estimates] | None,
  config: config_lib.InfluenceConfig,
) -> list[dict[str, chex.Array]]:
  """Computes the losses of each head.

  An action and a message are chosen together, so that both heads have the same
  ratio; gradients flow through each head's own part of it.
  """
  ratios = list(map(actor_critic.log_ratio, heads))
  if len(heads) > 1:
    speaks = heads_lib.is_member(config, own_index, 'communication')
    ratios[1] = jnp.where(speaks, ratios[1], 0.0)
  fixed = jax.lax.stop_gradient(sum(ratios))
  found = []
  for i, (head, own) in enumerate(zip(heads, ratios, strict=True)):
    joint = fixed + own - jax.lax.stop_gradient(own)
    if estimates is None:
      found.append(
        vtrace.losses(head, joint, sequences.discount, is_skipped, config)
      )
    else:
      found.append(ppo.losses(head, joint, estimates[i], is_skipped, config))
  return found


def _moa_loss(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  config: config_lib.InfluenceConfig,
) -> tuple[ops.MOALoss, dict[str, chex.Array]]:
  """Returns the loss of one agent's model of the others, and its measures.

  Args:
    output: of all T + 1 rows.
    own_index: int [], index of this agent.
    sequences: of this agent.
    config: for `moa_only_visible`.

  Returns:
    The loss, and float32 [] each by the name in the logs.
  """
  others = types.others(own_index, sequences.actions.shape[-1])
  visible = jnp.take(sequences.observation['visible'], others, axis=-1)
  actions = jnp.take(sequences.actions, others, axis=-1)
  mask = deaths.predictions(sequences, own_index)
  if config.moa_only_visible:
    mask = visible if mask is None else visible & mask
  moa = ops.moa_loss(
    output.moa_logits,
    actions,
    mask=mask,
    episode_mask=ops.episode_masks(sequences.start_of_episode).episode_mask,
  )
  assert output.moa_logits is not None
  predicted = jax.lax.stop_gradient(output.moa_logits)[:-1]
  calibration = ops.calibration(predicted, actions[1:], weight=moa.weight)
  num_actions = output.moa_logits.shape[-1]
  return moa, {
    'moa_loss': moa.loss,
    'moa_accuracy': moa.accuracy,
    'moa_skill': jax.lax.stop_gradient(
      ops.moa_skill(moa, actions, num_actions=num_actions)
    ),
    'moa_calibration_error': calibration.error,
  }
