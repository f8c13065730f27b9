"""Reads an environment's specs for the networks of the influence agent."""

from collections.abc import Mapping
from typing import Any

from influence_acme.system import config as config_lib
from influence_acme.system import networks, specs

_PAPER = config_lib.InfluenceConfig()


def make_networks(
  environment_spec: specs.EnvironmentSpec,
  config: config_lib.InfluenceConfig = _PAPER,
) -> networks.InfluenceNetworks:
  """Makes the paper's networks for every agent of an environment.

  Args:
    environment_spec: of a multi-agent environment: dicts by agent id, whose
      order is the agents' order, and observations with 'world', 'actions'
      and 'visible'; with 'messages' if some speak.
    config: of the agent; gives the variant, and the sizes.

  Returns:
    The population's networks.

  Raises:
    ValueError: the agents differ, an observation lacks a part, nobody is left
      to be influenced, or messages or the number of variants or weights are not
      those of the configuration.
  """
  agent_ids = tuple(environment_spec.actions)
  spec = specs.stacked_spec(environment_spec, agent_ids)
  missing = sorted({'world', 'actions', 'visible'} - set(spec.observations))
  if missing:
    raise ValueError(
      f'The observations lack {missing[0]!r}: wrap the environment in '
      'influence_acme.wrappers.OthersActionsWrapper.'
    )
  num_actions, num_symbols = _choices(spec.actions)
  _check_symbols(num_symbols, config)
  view = tuple(spec.observations['world'].shape[1:])
  return networks.make_networks(
    agent_ids, num_actions, num_symbols, view, config
  )


def _choices(action_spec: Any) -> tuple[int, int]:
  """Returns how many actions there are, and how many symbols or 0."""
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
