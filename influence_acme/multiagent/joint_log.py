"""One log of several learners, each of which thinks that it has its own."""

from collections.abc import Callable, Mapping
from typing import Any

from acme.utils import loggers

from influence_acme import types


class JointLog:
  """Joins what several learners log: 'loss' becomes {'loss': {agent id: x}}."""

  def __init__(self, logger: loggers.Logger):
    """Starts with nothing.

    Args:
      logger: gets the joined rows.
    """
    self._logger = logger
    self._latest: dict[str, dict[types.AgentId, Any]] = {}

  def of(self, agent_id: types.AgentId) -> loggers.Logger:
    """Returns the logger of one agent's learner."""
    return _Column(lambda data: self._take(agent_id, data))

  def write(self, counts: Mapping[str, Any]) -> None:
    """Logs the latest values of all, and once what they all count.

    Args:
      counts: of the program, by name.
    """
    self._logger.write({**self._latest, **counts})

  def _take(self, agent_id: types.AgentId, data: loggers.LoggingData) -> None:
    for name, value in data.items():
      self._latest.setdefault(name, {})[agent_id] = value


class _Column(loggers.Logger):
  """A logger that is a function."""

  def __init__(self, take: Callable[[loggers.LoggingData], None]):
    self._take = take

  def write(self, data: loggers.LoggingData) -> None:
    """Hands a row on."""
    self._take(data)

  def close(self) -> None:
    """Whoever made the joint logger closes it."""
