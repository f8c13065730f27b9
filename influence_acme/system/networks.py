"""Makes the population's networks: one agent's functions, stacked weights."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme import types
from influence_acme.system import config as config_lib
from influence_acme.system import specs, variants


class InfluenceNetworks(NamedTuple):
  """Holds the functions of N agents that share no weights.

  Attributes:
    agent: one agent's pure functions; `jax.vmap` them over the parameters.
    agent_ids: the agents' names, in the order of every axis N.
    num_actions: how many actions each agent chooses from.
    num_symbols: how many messages there are; 0 without messages.
    init: key -> parameters, every array with a leading axis N.
  """

  agent: networks_lib.AgentNetworks
  agent_ids: tuple[types.AgentId, ...]
  num_actions: int
  num_symbols: int
  init: Callable[[chex.PRNGKey], chex.ArrayTree]


# Actors and the learner in one process get the same functions, so that each is
# compiled once.
@functools.lru_cache(maxsize=8)
def make_networks(
  agent_ids: tuple[types.AgentId, ...],
  num_actions: int,
  num_symbols: int,
  world: jax.ShapeDtypeStruct,
  config: config_lib.InfluenceConfig,
  torso: networks_lib.Torso | None = None,
) -> InfluenceNetworks:
  """Makes the paper's networks for every agent.

  Args:
    agent_ids: N names, in the agents' order.
    num_actions: A.
    num_symbols: M; 0 without messages.
    world: shape and dtype of one agent's 'world', without batch axes.
    config: of the agent; gives the variant, and the sizes.
    torso: see `networks.make_agent_networks`; None: `networks.default_torso`.

  Returns:
    The population's networks.

  Raises:
    ValueError: there is no influencee, or one agent alone whose variant needs
      others, the number of variants or weights is not that of the agents, or
      no torso is given and there is no default.
  """
  _check_agents(agent_ids, config)
  agent = networks_lib.make_agent_networks(
    len(agent_ids),
    num_actions,
    config.hidden_size,
    models_others=config.has_moa,
    num_influencers=config.num_influencers if config.has_influencers else 0,
    num_symbols=num_symbols,
    embedding_size=config.message_embedding_size,
    torso=torso or networks_lib.default_torso(world.shape, world.dtype),
  )
  observation = {
    'world': jnp.zeros((1, *world.shape), world.dtype),
    'actions': -jnp.ones((1, len(agent_ids)), jnp.int32),
    'influencers': -jnp.ones((1, config.num_influencers), jnp.int32),
    'messages': -jnp.ones((1, len(agent_ids)), jnp.int32),
  }

  # Op by op this takes as long as all else that a run compiles.
  @jax.jit
  def init(key: chex.PRNGKey) -> chex.ArrayTree:
    keys = jax.random.split(key, len(agent_ids))
    return jax.vmap(agent.init, in_axes=(0, None))(keys, observation)

  return InfluenceNetworks(agent, agent_ids, num_actions, num_symbols, init)


def _check_agents(
  agent_ids: tuple[types.AgentId, ...], config: config_lib.InfluenceConfig
) -> None:
  """Raises ValueError: the variants are not of so many agents."""
  for name in ('variant', 'influence_weight'):
    value = getattr(config, name)
    if isinstance(value, tuple) and len(value) != len(agent_ids):
      raise ValueError(
        f'{name} is {value!r}: it must be one for all, or one for each of the '
        f'{len(agent_ids)} agents.'
      )
  alone = variants.names(experiment=None, shaping=None)
  if len(agent_ids) == 1 and not np.isin(config.variant, alone).all():
    raise ValueError(
      f'There is one agent alone, of the variant {config.variant!r}, which '
      f'needs others: choose {", ".join(alone)}, or at least two agents.'
    )


def from_spec(
  environment_spec: specs.EnvironmentSpec,
  config: config_lib.InfluenceConfig,
  torso: networks_lib.Torso | None = None,
) -> InfluenceNetworks:
  """Makes the paper's networks for every agent of an environment.

  Args:
    environment_spec: of a multi-agent environment: dicts by agent id, whose
      order is the agents' order, and observations with 'world', 'actions'
      and 'visible'; with 'messages' in variants with messages.
    config: of the agent; gives the variant, and the sizes.
    torso: returns the Haiku module that maps 'world' to features, see
      `networks.make_agent_networks`; None: the one for its shape and dtype, see
      `networks.default_torso`.

  Returns:
    The population's networks.

  Raises:
    ValueError: the agents differ, an observation lacks an entry, no torso is
      given and 'world' has no default, there is no influencee, or messages or
      the number of variants or weights are not those of the configuration.
  """
  agent_ids = tuple(environment_spec.actions)
  types.check_agent_ids(agent_ids)
  spec = specs.stacked_spec(environment_spec, agent_ids)
  missing = sorted({'world', 'actions', 'visible'} - set(spec.observations))
  if missing:
    raise ValueError(
      f'The observations lack {missing[0]!r}: wrap the environment in '
      'influence_acme.wrappers.OthersActionsWrapper.'
    )
  num_actions, num_symbols = _choices(spec.actions)
  _check_symbols(num_symbols, config)
  stacked = spec.observations['world']
  world = jax.ShapeDtypeStruct(tuple(stacked.shape[1:]), stacked.dtype)
  return make_networks(
    agent_ids, num_actions, num_symbols, world, config, torso
  )


def _choices(action_spec: Any) -> tuple[int, int]:
  """Returns the numbers of actions and of symbols; 0 without messages."""
  if isinstance(action_spec, Mapping):
    action, message = action_spec['action'], action_spec['message']
    return int(action.maximum) + 1, int(message.maximum) + 1
  return int(action_spec.maximum) + 1, 0


def _check_symbols(
  num_symbols: int, config: config_lib.InfluenceConfig
) -> None:
  """Raises ValueError: the environment's messages are not the agents'."""
  expected = config.num_symbols if config.has_messages else 0
  if num_symbols == expected:
    return
  has = f'{num_symbols} symbols' if num_symbols else 'no messages'
  advice = (
    'wrap it, outside of all else, in influence_acme.wrappers.'
    f'MessageChannelWrapper(environment, num_symbols={expected}).'
    if expected
    else 'leave the MessageChannelWrapper off.'
  )
  raise ValueError(
    f'The environment has {has}, but the configuration has the variant '
    f'{config.variant!r} with num_symbols {expected}: {advice}'
  )
