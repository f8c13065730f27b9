"""Joins the logs of several learners, each with a logger of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from acme.utils import loggers

from influence_acme import types


class JointLog:
  """Joins the rows of several learners: 'loss' is {'loss': {agent id: x}}."""

  def __init__(self, logger: loggers.Logger):
    """Starts without any rows; the logger gets the joined ones."""
    self._logger = logger
    self._latest: dict[str, dict[types.AgentId, Any]] = {}

  def of(self, agent_id: types.AgentId) -> loggers.Logger:
    """Returns the logger of one agent's learner."""
    return _Column(lambda data: self._take(agent_id, data))

  def write(self, counts: Mapping[str, Any]) -> None:
    """Logs the latest values of all learners, and the program's counts once."""
    self._logger.write({**self._latest, **counts})

  def _take(self, agent_id: types.AgentId, data: loggers.LoggingData) -> None:
    for name, value in data.items():
      self._latest.setdefault(name, {})[agent_id] = value


class _Column(loggers.Logger):
  """Logs rows by calling a function."""

  def __init__(self, take: Callable[[loggers.LoggingData], None]):
    self._take = take

  def write(self, data: loggers.LoggingData) -> None:
    """Passes a row to the function."""
    self._take(data)

  def close(self) -> None:
    """Does nothing; the joint logger is closed by its owner."""
