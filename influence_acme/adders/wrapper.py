"""Wraps an Acme adder."""

from __future__ import annotations

from typing import Any

import dm_env
from acme import types
from acme.adders import base
from acme.adders.reverb import base as reverb_base


class AdderWrapper(base.Adder):
  """Forwards all calls; subclasses change some of them."""

  def __init__(self, adder: base.Adder):
    """Takes the adder that gets the calls."""
    self._adder = adder
    self._in_episode = False

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode.

    Args:
      timestep: the FIRST timestep, with o_0.
    """
    self._adder.add_first(timestep)
    self._in_episode = True

  def add(
    self,
    action: types.NestedArray,
    next_timestep: dm_env.TimeStep,
    extras: types.NestedArray = (),
  ) -> None:
    """Records an action and the time step after it.

    Args:
      action: a_t.
      next_timestep: e_t, d_t and o_{t+1}; it is not changed.
      extras: for the table.
    """
    self._adder.add(action, next_timestep, extras)
    self._in_episode = not next_timestep.last()

  def reset(self, timeout_ms: int | None = None) -> None:
    """Drops the open episode, if there is one.

    Items that the inner adder has written stay; rows that are not in an item
    yet are lost. The next episode may follow at once, and under
    EndBehavior.CONTINUE no sequence joins it to the dropped one.

    Args:
      timeout_ms: for the inner adder's `reset`, where it takes one.
    """
    if self._in_episode and isinstance(self._adder, reverb_base.ReverbAdder):
      _close_row(self._adder)
    self._in_episode = False
    kwargs = {} if timeout_ms is None else {'timeout_ms': timeout_ms}
    self._adder.reset(**kwargs)

  def __getattr__(self, name: str) -> Any:
    """Returns other attributes of the inner adder, as `add_priority_table`."""
    if name == '_adder':  # Not initialised, as in unpickling: do not recurse.
      raise AttributeError(name)
    return getattr(self._adder, name)


def _close_row(adder: reverb_base.ReverbAdder) -> None:
  """Ends an episode with a last row that has no action yet.

  Acme's `reset` does not work in mid-episode: Reverb 0.7.3 still treats that
  row as open, and rejects the next episode's first observation ("has already
  been set"); and a SequenceAdder with EndBehavior.CONTINUE does not reset at
  all.
  """
  writer = adder._writer  # The adder's own accessor; there is no public one.
  writer.append({})
  writer.end_episode()
