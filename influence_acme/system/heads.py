"""Builds the inputs of one agent's actor-critic losses from its sequences.

Letters: T steps (T + 1 rows), B sequences, N agents.
"""

import chex
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme.system import (
  actor_critic,
  basic,
  deaths,
  masks,
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
    deaths.mask_actions(sequences),
    sequences.start_of_episode,
    sequences.core_state,
  )


def _observation(
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Returns the agent's observations in all T + 1 rows."""
  observation = dict(sequences.observation)
  if config.has_influencers:
    observation['influencers'] = basic.influencers_observed(
      own_index,
      sequences.actions,
      config.num_influencers,
      sequences_lib.is_padding(sequences),
    )
  if config.has_messages:
    observation['messages'] = masks.mask_messages(
      variants.members(config.variant, 'communication'),
      observation['messages'],
    )
  readers = {
    name: masks.is_member(members, own_index)
    for name, members in masks.readers(config.variant).items()
  }
  return masks.mask_observation(observation, readers)


def make_heads(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: sequences_lib.Sequences,
  scale: normalisation.ReturnScale,
  config: config_lib.InfluenceConfig,
) -> list[actor_critic.Head]:
  """Returns the action head and, for agents with messages, the message head.

  An agent that speaks is rewarded for the influence of its messages, so that
  only the message head learns from it: its reward is alpha * e + w * c if a
  row's reward is e + w * c.
  """
  units = normalisation.units(scale, config)
  # Rewards for influence, which alone are brought to the size of returns.
  rewarded = is_rewarded(config, own_index)
  weighted = rewarded * (sequences.reward - sequences.extrinsic)
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
  less = rewarded * (config.message_extrinsic_weight - 1.0)
  message = actor_critic.Head(
    *output.message,
    messages.symbols,
    messages.behaviour_logits,
    reward + less * sequences.extrinsic,
    units[1],
  )
  speaks = is_member(config, own_index, 'communication')
  return [
    action._replace(reward=jnp.where(speaks, sequences.extrinsic, reward)),
    message,
  ]


def is_rewarded(
  config: config_lib.InfluenceConfig, own_index: chex.Numeric
) -> chex.Array | bool:
  """Returns bool []: the agent's reward holds influence."""
  rewarded = variants.has(config.variant, rewarded=True)
  return masks.is_member(rewarded, own_index)


def is_member(
  config: config_lib.InfluenceConfig,
  own_index: chex.Numeric,
  experiment: str,
) -> chex.Array | bool:
  """Returns bool []: the agent takes part in an experiment."""
  members = variants.members(config.variant, experiment)
  return masks.is_member(members, own_index)
