"""Stands in for Acme's adder inside of one that wraps it."""

import copy
from typing import Any, NamedTuple

import dm_env


class Step(NamedTuple):
  """A call of `add`."""

  action: Any
  timestep: dm_env.TimeStep
  extras: Any


class Episode(NamedTuple):
  """Holds the calls of an adder in one episode."""

  first: dm_env.TimeStep
  steps: list[Step]


class OutOfTurnError(ValueError):
  """An adder was called when it cannot be; the message says what to do."""


class RecordingAdder:
  """Notes what it is told, and refuses what Acme's adders refuse.

  Attributes:
    episodes: what it was told so far.
  """

  def __init__(self) -> None:
    self.episodes: list[Episode] = []
    self._is_open = False

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Notes the start of an episode.

    Raises:
      OutOfTurnError: the last one goes on.
    """
    if self._is_open:
      raise OutOfTurnError(
        'add_first() of the inner adder was called in an open episode: hand '
        'reset() on, and every step before the next episode.'
      )
    self._is_open = True
    self.episodes.append(Episode(copy.deepcopy(timestep), []))

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    """Notes a step.

    Raises:
      OutOfTurnError: no episode has begun.
    """
    if not self._is_open:
      raise OutOfTurnError(
        'add() of the inner adder was called outside of an episode: hand '
        'add_first() on at once, and drop at reset() what is held back.'
      )
    step = Step(action, next_timestep, extras)
    self.episodes[-1].steps.append(copy.deepcopy(step))
    self._is_open = not next_timestep.last()

  def reset(self, timeout_ms: int | None = None) -> None:
    """Notes that an episode was given up."""
    del timeout_ms
    self._is_open = False
