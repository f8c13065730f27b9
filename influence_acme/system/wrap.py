"""Wraps an environment for a variant of the agent."""

from typing import Any

from influence_acme import environments, wrappers
from influence_acme.system import config as config_lib

Wrapped = wrappers.OthersActionsWrapper | wrappers.MessageChannelWrapper


def wrap_environment(
  environment: Any, config: config_lib.InfluenceConfig
) -> Wrapped:
  """Adds a variant's observations of other agents to an environment.

  These are everyone's last actions and the agents in view and, if agents speak,
  a channel for messages.

  Args:
    environment: a multi-agent `dm_env.Environment`, without such wrappers.
    config: of the agent; gives the variant and the number of symbols.

  Returns:
    The environment for `make_networks` and the agent's actors.
  """
  wrapped = wrappers.OthersActionsWrapper(environment)
  if config.has_messages:
    return wrappers.MessageChannelWrapper(wrapped, config.num_symbols)
  return wrapped


def make_environment(
  name: str, config: config_lib.InfluenceConfig, seed: int, **overrides: Any
) -> Wrapped:
  """Makes one of this library's environments, wrapped for a variant.

  Args:
    name: as for `environments.make`.
    config: of the agent.
    seed: of the environment.
    **overrides: fields of the environment, such as `num_agents`.

  Returns:
    The environment.
  """
  environment = environments.make(name, seed=seed, **overrides)
  return wrap_environment(environment, config)
