"""Keeps what a replay holds and has not been learned from yet.

A Reverb server keeps its items to itself. For a run that is to be resumed
exactly, they are written down as they are written into the table, and struck
out as the learner takes them: a batch that was sampled ahead still counts.
"""

import collections
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import reverb

# Long enough for any table that has room.
_INSERT_TIMEOUT_MS = 10_000


class Column(NamedTuple):
  """One column of an item.

  Attributes:
    values: [T, ...], or [...] if it is squeezed.
    is_squeezed: whether it is one element, without a time axis.
  """

  values: np.ndarray
  is_squeezed: bool


class Item(NamedTuple):
  """What a writer put into a table.

  Attributes:
    table: name of the table.
    priority: of the item.
    columns: of its trajectory, flattened.
  """

  table: str
  priority: float
  columns: tuple[Column, ...]


class Journal:
  """The items that wait in a first-in-first-out table."""

  def __init__(self):
    self._items: collections.deque[Item] = collections.deque()

  @property
  def num_waiting(self) -> int:
    """How many items have been written, but not consumed."""
    return len(self._items)

  def add(self, item: Item) -> None:
    """Takes down an item that was written."""
    self._items.append(item)

  def consume(self, num_items: int) -> None:
    """Strikes out the oldest items."""
    for _ in range(num_items):
      self._items.popleft()

  def save(self) -> list[Item]:
    """Returns the waiting items, oldest first."""
    return list(self._items)

  def restore(self, items: Sequence[Item], client: reverb.Client) -> None:
    """Writes waiting items into an empty table.

    Args:
      items: what `save` returned.
      client: of the table; a plain one.
    """
    lengths = [
      1 if c.is_squeezed else len(c.values) for i in items for c in i[2]
    ]
    if items:
      with client.trajectory_writer(num_keep_alive_refs=max(lengths)) as writer:
        for item in items:
          _write_item(writer, item)
    self._items.extend(items)


def _write_item(writer: reverb.TrajectoryWriter, item: Item) -> None:
  """Writes an item, and clears the writer."""
  columns = [
    column.values[None] if column.is_squeezed else column.values
    for column in item.columns
  ]
  for t in range(max(map(len, columns))):
    # A shorter column has nothing in later rows.
    writer.append(
      [column[t] if t < len(column) else None for column in columns]
    )
  trajectory = [
    history[0]
    if column.is_squeezed
    else history[list(range(len(column.values)))]
    for history, column in zip(writer.history, item.columns, strict=True)
  ]
  writer.create_item(item.table, item.priority, trajectory)
  writer.end_episode(timeout_ms=_INSERT_TIMEOUT_MS)
