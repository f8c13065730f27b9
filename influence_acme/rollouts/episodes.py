"""Assembles episodes from unrolls, which may hold only a part of one.

Sums over an episode come from the device; data of its steps, which influential
steps need, are assembled here on the host.

Letters: T steps of an unroll, B environments, N agents, L steps of an episode.
"""

from typing import Any, NamedTuple

import jax
import numpy as np

from influence_acme.metrics import episode
from influence_acme.rollouts import records


class Episode(NamedTuple):
  """Holds an ended episode.

  Attributes:
    totals: sums over its steps.
    influence: float32 [L, N], nats.
    choices: int32 [L, N], or a dict of such, of the agents; None for all
      environments but the first.
  """

  totals: episode.Totals
  influence: np.ndarray
  choices: Any


class EpisodeBuffer:
  """Stores the rows of episodes that have not ended."""

  def __init__(self, batch_size: int, delay: int):
    """Makes an empty buffer.

    Args:
      batch_size: B.
      delay: 1 if the influence of a step is in the row after it, else 0.
    """
    self._delay = delay
    # Numbers of rows, from 0 over all calls: of the first stored row, and of
    # the first row of each environment's episode.
    self._first = 0
    self._starts = np.zeros(batch_size, np.int64)
    self._parts: list[tuple[np.ndarray, Any]] = []

  def add(self, played: records.Episodes) -> list[Episode]:
    """Adds the next rows.

    Args:
      played: of one call of a rollout.

    Returns:
      The episodes that ended in them, in order of time and environment.
    """
    played = jax.tree_util.tree_map(np.asarray, played)
    begin = self._end
    self._parts.append((played.influence, played.choices))
    episodes = []
    for t, b in np.argwhere(played.ended):
      stop = begin + int(t) + 1
      episodes.append(self._cut(played, int(t), int(b), stop))
      self._starts[b] = stop + 1  # The row between them is a padding.
    keep = self._starts.min()
    while self._parts and self._first + len(self._parts[0][0]) <= keep:
      self._first += len(self._parts.pop(0)[0])
    return episodes

  def save(self) -> dict[str, Any]:
    """Returns the rows that are still needed, as NumPy arrays."""
    first = min(int(self._starts.min()), self._end)
    state = {'first': np.int64(first), 'starts': self._starts.copy()}
    if not self._parts:
      return state
    influence, choices = jax.tree_util.tree_map(
      lambda *xs: np.concatenate(xs)[first - self._first :], *self._parts
    )
    return {**state, 'influence': influence, 'choices': choices}

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a state returned by `save`."""
    self._first = int(state['first'])
    self._starts = np.array(state['starts'])
    self._parts = (
      [(state['influence'], state['choices'])] if 'influence' in state else []
    )

  @property
  def _end(self) -> int:
    """Number of the next row."""
    return self._first + sum(len(influence) for influence, _ in self._parts)

  def _cut(self, played: records.Episodes, t: int, b: int, stop: int):
    """Returns the episode of environment b that ends before row `stop`."""
    start = int(self._starts[b])
    influence = self._rows(
      start + self._delay, stop, lambda part: part[0][..., b]
    )
    if self._delay:
      last = played.last_step_influence[t, :, b]
      influence = np.concatenate([influence, last[None]])
    totals = jax.tree_util.tree_map(lambda x: x[t, ..., b], played.totals)
    return Episode(
      episode.Totals(
        totals.returns,
        totals.num_paid,
        totals.paid_time,
        int(totals.num_steps),
        {name: value[t, ..., b] for name, value in played.events.items()},
      ),
      influence,
      self._rows(start, stop, lambda part: part[1]) if b == 0 else None,
    )

  def _rows(self, start: int, stop: int, of_part: Any) -> Any:
    """Returns rows of a field that is selected from each part."""
    found = []
    begin = self._first
    for part in self._parts:
      low, high = max(start - begin, 0), max(stop - begin, 0)
      found.append(
        jax.tree_util.tree_map(
          lambda x, low=low, high=high: x[low:high], of_part(part)
        )
      )
      begin += len(part[0])
    return jax.tree_util.tree_map(lambda *xs: np.concatenate(xs), *found)
