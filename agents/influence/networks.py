"""The population's networks: one agent's functions, and its stacked weights."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from acme import specs

from influence_acme import networks as networks_lib
from influence_acme import types
from influence_acme.agents.influence import config as config_lib
from influence_acme.multiagent import specs as multiagent_specs

_PAPER = config_lib.InfluenceConfig()


class InfluenceNetworks(NamedTuple):
  """A population of N agents that share no weights.

  Attributes:
    agent: one agent's pure functions; `jax.vmap` them over the parameters.
    agent_ids: the agents' names, in the order of every axis N.
    num_actions: how many actions each agent chooses from.
    init: key -> parameters, every array with a leading axis N.
  """

  agent: networks_lib.AgentNetworks
  agent_ids: tuple[types.AgentId, ...]
  num_actions: int
  init: Callable[[chex.PRNGKey], chex.ArrayTree]


def make_networks(
  environment_spec: specs.EnvironmentSpec,
  config: config_lib.InfluenceConfig = _PAPER,
) -> InfluenceNetworks:
  """Makes the paper's networks for every agent of an environment.

  Args:
    environment_spec: of a multi-agent environment: dicts by agent id, whose
      order is the agents' order, and observations with 'world', 'actions'
      and 'visible'.
    config: of the agent; gives the variant, and the sizes.

  Returns:
    The population's networks.

  Raises:
    ValueError: the agents differ, an observation lacks a part, or nobody is
      left to be influenced.
  """
  agent_ids = tuple(environment_spec.actions)
  spec = multiagent_specs.stacked_spec(environment_spec, agent_ids)
  missing = sorted({'world', 'actions', 'visible'} - set(spec.observations))
  if missing:
    raise ValueError(
      f'The observations lack {missing[0]!r}: wrap the environment in '
      'influence_acme.wrappers.OthersActionsWrapper.'
    )
  num_actions = int(spec.actions.maximum) + 1
  agent = networks_lib.make_agent_networks(
    len(agent_ids),
    num_actions,
    config.hidden_size,
    models_others=config.models_others,
    num_influencers=config.num_influencers if config.takes_turns else 0,
  )
  observation = {
    'world': jnp.zeros((1, *spec.observations['world'].shape[1:]), jnp.uint8),
    'actions': -jnp.ones((1, len(agent_ids)), jnp.int32),
    'influencers': -jnp.ones((1, config.num_influencers), jnp.int32),
  }

  def init(key: chex.PRNGKey) -> chex.ArrayTree:
    keys = jax.random.split(key, len(agent_ids))
    return jax.vmap(agent.init, in_axes=(0, None))(keys, observation)

  return InfluenceNetworks(agent, agent_ids, num_actions, init)
