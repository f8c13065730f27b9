"""What all wrappers share: everything that they do not change gets through."""

from collections.abc import Mapping
from typing import Any

import dm_env


class EnvironmentWrapper(dm_env.Environment):
  """Forwards everything to a multi-agent dm_env.

  Attributes that dm_env does not know (`agent_ids`, `visible`, `render`,
  `save`, `restore`, ...) are those of the wrapped environment. Subclasses
  override what they change, and its spec with it; one that keeps state of its
  own overrides `save` and `restore` too.
  """

  def __init__(self, environment: Any):
    """Initialises the wrapper.

    Args:
      environment: a multi-agent `dm_env.Environment`, with `agent_ids`.
    """
    self._environment = environment

  def __getattr__(self, name: str) -> Any:
    # Private names stay private; forwarding them would also never end while
    # the wrapper is being unpickled and has no environment yet.
    if name.startswith('_'):
      raise AttributeError(f'{type(self).__name__} has no attribute {name!r}.')
    return getattr(self._environment, name)

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode."""
    return self._environment.reset()

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents."""
    return self._environment.step(action)

  def action_spec(self) -> Any:
    """Returns the wrapped environment's actions."""
    return self._environment.action_spec()

  def observation_spec(self) -> Any:
    """Returns the wrapped environment's observations."""
    return self._environment.observation_spec()

  def reward_spec(self) -> Any:
    """Returns the wrapped environment's rewards."""
    return self._environment.reward_spec()

  def discount_spec(self) -> Any:
    """Returns the wrapped environment's discount."""
    return self._environment.discount_spec()

  def close(self) -> None:
    """Frees what the wrapped environment holds."""
    self._environment.close()
