"""The environment as each variant of the agent plays it."""

from typing import Any

from influence_acme import environments, wrappers
from influence_acme.system import config as config_lib

Wrapped = wrappers.OthersActionsWrapper | wrappers.MessageChannelWrapper


def wrap_environment(
  environment: Any, config: config_lib.InfluenceConfig
) -> Wrapped:
  """Adds what the agents of a variant observe of each other.

  That is what everyone did last and who is in view, and, if they speak, a
  channel for messages.

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
  """Makes one of our environments, wrapped for a variant of the agent.

  Args:
    name: as for `environments.make`.
    config: of the agent.
    seed: of the environment.
    **overrides: of the environment's settings, such as `num_agents`.

  Returns:
    The environment.
  """
  environment = environments.make(name, seed=seed, **overrides)
  return wrap_environment(environment, config)
