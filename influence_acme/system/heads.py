"""Builds the policy heads that one agent learns from, out of its sequences.

Letters: T steps (T + 1 rows), B sequences, N agents.
"""

import chex
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme.system import (
  actor_critic,
  basic,
  normalisation,
  variants,
)
from influence_acme.system import config as config_lib
from influence_acme.system import sequences as sequences_lib


def unroll(
  agent: networks_lib.AgentNetworks,
  config: config_lib.InfluenceConfig,
  params: chex.ArrayTree,
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
) -> networks_lib.UnrollOutput:
  """Unrolls one agent's network over all T + 1 rows."""
  return agent.unroll(
    params,
    _observation(own_index, sequences, config),
    sequences.actions,
    sequences.start_of_episode,
    sequences.core_state,
  )


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


def make_heads(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  scale: normalisation.ReturnScale,
  config: config_lib.InfluenceConfig,
) -> list[actor_critic.Head]:
  """Returns the action's head, and that of the message where there is one.

  An agent that speaks is rewarded for the influence of its messages, so that
  only the message's head learns from it: alpha * e + w * c, where a row's
  reward is e + w * c.
  """
  units = normalisation.units(scale, config)
  # Rewards for influence, which alone are brought to the unit of returns.
  paid = is_rewarded(config, own_index)
  weighted = paid * (sequences.reward - sequences.extrinsic)
  factor = normalisation.influence_factor(scale, config)
  reward = sequences.reward + (factor - 1.0) * weighted
  action = actor_critic.Head(
    output.logits,
    output.value,
    sequences.own_actions,
    sequences.behaviour_logits,
    reward,
    units[0],
  )
  messages = sequences.messages
  if messages is None or output.message is None:
    return [action]
  # Alpha is 1 but for agents that are rewarded for their messages.
  less = paid * (config.message_extrinsic_weight - 1.0)
  message = actor_critic.Head(
    *output.message,
    messages.symbols,
    messages.behaviour_logits,
    reward + less * sequences.extrinsic,
    units[1],
  )
  speaks = is_member(config, own_index, 'speech')
  return [
    action._replace(reward=jnp.where(speaks, sequences.extrinsic, reward)),
    message,
  ]


def is_rewarded(
  config: config_lib.InfluenceConfig, own_index: chex.Numeric
) -> chex.Array | bool:
  """Returns whether an agent's reward holds influence, bool []."""
  rewarded = variants.which(config.variant, variants.PAID)
  return variants.is_among(rewarded, own_index)


def is_member(
  config: config_lib.InfluenceConfig, own_index: chex.Numeric, group: str
) -> chex.Array | bool:
  """Returns whether an agent takes part in an experiment, bool []."""
  groups = variants.groups(config.variant)
  return variants.is_among(getattr(groups, group), own_index)
