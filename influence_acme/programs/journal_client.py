"""A Reverb client that keeps the journal, and its own unfinished rows.

append ... append         create_item         consume(n)
rows that items   ->    a waiting    ->    struck out
may refer to            item
"""

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import reverb
import tree

from influence_acme.programs import blocking
from influence_acme.programs import journal as journal_lib

# Long enough for any table that has room. The second try is for a process that
# was stopped meanwhile, and finds its time over when it goes on.
_INSERT_TIMEOUT_MS = 5_000
_INSERT_TRIES = 2


class JournalClient(blocking.StoppableReplay):
  """One actor's Reverb client, whose trajectory writers keep the journal."""

  def __init__(
    self,
    server_address: str,
    stopping: Callable[[], bool],
    journal: journal_lib.Journal,
  ):
    """Connects to a server.

    Args:
      server_address: of the replay.
      stopping: whether to give up what blocks.
      journal: where items are taken down; all actors' go to the same.
    """
    super().__init__(server_address, stopping)
    self._journal = journal
    self._writer: JournalWriter | None = None
    self._restored: dict[str, Any] | None = None

  def trajectory_writer(
    self, num_keep_alive_refs: int, **kwargs: Any
  ) -> 'JournalWriter':
    """Makes a writer; the first one after `restore` goes on where it was."""
    self._writer = JournalWriter(
      super().trajectory_writer(num_keep_alive_refs, **kwargs),
      self._journal,
      num_keep_alive_refs,
    )
    if self._restored:
      self._writer.restore(self._restored)
      self._restored = None
    return self._writer

  def writer(self, *args: Any, **kwargs: Any) -> Any:
    """Refuses: items of old writers cannot be taken down."""
    raise NotImplementedError(
      'The one-process program needs an adder that writes by '
      'trajectory_writer(). Launch it in threads.'
    )

  def save(self) -> dict[str, Any] | None:
    """Returns the rows that later items may refer to; None if none can."""
    return self._writer.save() if self._writer else self._restored

  def restore(self, state: dict[str, Any] | None) -> None:
    """Gives the rows to the next writer."""
    self._restored = state


class JournalWriter:
  """A trajectory writer that keeps its rows, and whose items arrive at once.

  Its `history` must be indexed from the end, as Acme's adders do: after a
  resume it begins later than it did.
  """

  def __init__(
    self,
    writer: blocking.StoppableWriter,
    journal: journal_lib.Journal,
    num_keep_alive_refs: int,
  ):
    """Wraps a writer.

    Args:
      writer: does the work; what is not below is its own.
      journal: where items are taken down.
      num_keep_alive_refs: how many rows an item can refer to.
    """
    self._writer = writer
    self._journal = journal
    # A row is made by one call of `append`, or by several partial ones.
    self._rows: collections.deque[list[tuple[Any, bool]]]
    self._rows = collections.deque(maxlen=num_keep_alive_refs)
    self._row_is_open = False
    self._steps_before = 0

  def __getattr__(self, name: str) -> Any:
    return getattr(self._writer, name)

  @property
  def episode_steps(self) -> int:
    """Rows since the last `end_episode`, those before a resume too."""
    return self._steps_before + self._writer.episode_steps

  def append(self, data: Any, *, partial_step: bool = False) -> None:
    """Appends a row, or a part of one."""
    self._writer.append(data, partial_step=partial_step)
    if not self._row_is_open:
      self._rows.append([])
    # Whoever made the arrays may write into them again.
    copy = tree.map_structure(np.array, data)
    self._rows[-1].append((copy, partial_step))
    self._row_is_open = partial_step

  def create_item(self, table: str, priority: float, trajectory: Any) -> None:
    """Writes an item, and waits until the table has it."""
    columns = tuple(
      journal_lib.Column(column.numpy(), column.is_squeezed)
      for column in tree.flatten(trajectory)
    )
    self._writer.create_item(table, priority, trajectory)
    self.flush()
    self._journal.add(journal_lib.Item(table, priority, columns))

  def flush(
    self, block_until_num_items: int = 0, timeout_ms: int | None = None
  ) -> None:
    """Waits until the table has all items, however many may wait.

    Raises:
      RuntimeError: the table is full, and nobody else could empty it.
    """
    del block_until_num_items, timeout_ms
    for tries_left in reversed(range(_INSERT_TRIES)):
      try:
        self._writer.flush(timeout_ms=_INSERT_TIMEOUT_MS)
        return
      except reverb.errors.DeadlineExceededError as error:
        if not tries_left:
          raise RuntimeError(
            'The replay is full, but the learner still waits: the table must '
            'hold a batch, and batch_size of the experiment must be the '
            "builder's."
          ) from error

  def end_episode(
    self, clear_buffers: bool = True, timeout_ms: int | None = None
  ) -> None:
    """Ends an episode."""
    self._writer.end_episode(clear_buffers, timeout_ms)
    self._steps_before = 0
    if clear_buffers:
      self._rows.clear()

  def save(self) -> dict[str, Any]:
    """Returns the rows that later items may refer to."""
    return {
      'rows': [list(row) for row in self._rows],
      'episode_steps': self.episode_steps,
    }

  def restore(self, state: dict[str, Any]) -> None:
    """Appends the rows again; the writer must be new."""
    for row in state['rows']:
      for data, partial_step in row:
        self.append(data, partial_step=partial_step)
    self._steps_before = state['episode_steps'] - self._writer.episode_steps
