"""Calls that wait for another node, and end when the program stops.

Nothing in Python interrupts a thread that waits inside a library: for a batch,
for room in the replay, for an answer of the learner. Such a thread would keep
a stopped program from ending. So everything here waits a little, asks whether
the program stops, and waits again.
"""

import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, TypeVar

import reverb

T = TypeVar('T')

# Seconds, or milliseconds, from one look at `stopping` to the next.
_POLL_SECS = 0.2
_POLL_MS = 200
# A node that ends takes others along before they are told to stop.
_BLAME_SECS = 1.0


class StoppedError(Exception):
  """The program stops: what was waited for does not come any more."""


def _is_worth_a_line(record: logging.LogRecord) -> bool:
  return not (record.exc_info and record.exc_info[0] is StoppedError)


def _is_no_end(record: logging.LogRecord) -> bool:
  """Returns False for a record of Acme's prefetching at the end of its data."""
  return not (
    str(record.msg).startswith('Error in producer thread')
    and any(iterator.has_ended for iterator in _iterators)
  )


_iterators: weakref.WeakSet['StoppableIterator'] = weakref.WeakSet()
# An actor fetches parameters in a thread, whose errors are only logged.
logging.getLogger('concurrent.futures').addFilter(_is_worth_a_line)
# A learner prefetches in a thread, to which the end of its data is an error.
logging.getLogger('absl').addFilter(_is_no_end)


class StoppableIterator(Iterator[T]):
  """Iterates in a thread of its own, one element ahead."""

  def __init__(self, iterator: Iterator[T], stopping: Callable[[], bool]):
    """Starts to pull; errors of the iterator are passed on."""
    self._stopping = stopping
    self.has_ended = False  # Whether `next` has raised StopIteration.
    self._elements: queue.Queue[tuple[Any, BaseException | None]]
    self._elements = queue.Queue(maxsize=1)
    _iterators.add(self)
    thread = threading.Thread(
      target=self._pull, args=(iterator,), name='dataset', daemon=True
    )
    thread.start()

  def _pull(self, iterator: Iterator[T]) -> None:
    while True:
      try:
        self._elements.put((next(iterator), None))
      except BaseException as error:  # noqa: BLE001  Raised by `__next__`.
        self._elements.put((None, error))
        return

  def is_ready(self) -> bool:
    """Returns whether `next` returns, or raises, at once."""
    return self._stopping() or not self._elements.empty()

  def __next__(self) -> T:
    """Returns the next element.

    Raises:
      StopIteration: the program stops, or the iterator has ended.
    """
    while not self._stopping():
      try:
        element, error = self._elements.get(timeout=_POLL_SECS)
      except queue.Empty:
        continue
      if error is not None:
        self.has_ended = isinstance(error, StopIteration)
        raise error
      return element
    self.has_ended = True
    raise StopIteration


class StoppableClient:
  """Calls the methods of a node through its Courier client."""

  def __init__(self, client: Any, stopping: Callable[[], bool]):
    """Wraps a `courier.Client`; calls that give up raise `StoppedError`."""
    self._client = client
    self._stopping = stopping

  def __getattr__(self, method: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
      future = getattr(self._client.futures, method)(*args, **kwargs)
      while not futures.wait([future], timeout=_POLL_SECS).done:
        if self._stopping():
          _cancel(future)
          raise StoppedError
      try:
        return future.result()
      except Exception:
        if self._stops_soon():
          raise StoppedError from None
        raise

    return call

  def _stops_soon(self) -> bool:
    """Returns True if a call may have failed as the other node just stopped."""
    deadline = time.monotonic() + _BLAME_SECS
    while not self._stopping() and time.monotonic() < deadline:
      time.sleep(_POLL_SECS)
    return self._stopping()


def _cancel(future: futures.Future) -> None:
  """Cancels a call of Courier, but not its future.

  Courier hands an answer that has come already to the future from C++, where
  the error of one that is cancelled would end the process.
  """
  cancelled: futures.Future = futures.Future()
  cancelled.cancel()
  for callback in future._done_callbacks:  # type: ignore[attr-defined]
    callback(cancelled)


class StoppableReplay(reverb.Client):
  """A Reverb client whose trajectory writers can be stopped, and closed."""

  def __init__(self, server_address: str, stopping: Callable[[], bool]):
    """Waits until the server is up; raises StoppedError: the program stops."""
    super().__init__(server_address)
    self._stopping = stopping
    self._writers: weakref.WeakSet[StoppableWriter] = weakref.WeakSet()
    while not self._is_up():
      if stopping():
        raise StoppedError

  def _is_up(self) -> bool:
    try:
      self.server_info(timeout=1)
    except reverb.errors.DeadlineExceededError:
      return False
    return True

  def trajectory_writer(self, *args: Any, **kwargs: Any) -> Any:
    """Makes a writer, as `reverb.Client` does."""
    writer = super().trajectory_writer(*args, **kwargs)
    stoppable = StoppableWriter(writer, self._stopping)
    self._writers.add(stoppable)
    return stoppable

  def close(self) -> None:
    """Closes all writers. A server with open ones takes seconds to stop."""
    for writer in self._writers:
      writer.close()


class StoppableWriter:
  """A Reverb trajectory writer that does not wait for room for ever."""

  def __init__(
    self, writer: reverb.TrajectoryWriter, stopping: Callable[[], bool]
  ):
    """Wraps a writer, which does the work."""
    self._writer = writer
    self._stopping = stopping
    self._is_closed = False

  def __getattr__(self, name: str) -> Any:
    return getattr(self._writer, name)

  def flush(
    self, block_until_num_items: int = 0, timeout_ms: int | None = None
  ) -> None:
    """Waits until at most so many items wait for the server.

    Raises:
      StoppedError: the program stops, and there is no timeout.
      reverb.DeadlineExceededError: it took longer than the timeout.
    """
    # An adder that is deleted flushes once more, for ten seconds if it can.
    if self._is_closed or (timeout_ms is not None and self._stopping()):
      return
    if timeout_ms is not None:
      self._writer.flush(block_until_num_items, timeout_ms)
      return
    while True:
      try:
        self._writer.flush(block_until_num_items, _POLL_MS)
        return
      except reverb.errors.DeadlineExceededError:
        if self._stopping():
          raise StoppedError from None

  def end_episode(
    self, clear_buffers: bool = True, timeout_ms: int | None = None
  ) -> None:
    """Ends an episode once its items are in the table; see `flush`."""
    self.flush(timeout_ms=timeout_ms)
    self._writer.end_episode(clear_buffers, timeout_ms)

  def close(self) -> None:
    """Closes the writer; it may be closed already."""
    self._is_closed = True
    self._writer.close()
