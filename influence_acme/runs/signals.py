"""Ctrl-C and SIGTERM, as a request to end in good order."""

import contextlib
import os
import signal
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def check_main_thread() -> None:
  """Raises RuntimeError: this is another thread, which gets no signals."""
  if threading.current_thread() is not threading.main_thread():
    raise RuntimeError(
      'A run must be started in the main thread of its process, which alone '
      'gets Ctrl-C and SIGTERM: start it there, or in a process of its own.'
    )


@contextlib.contextmanager
def deferred() -> Iterator[None]:
  """Holds Ctrl-C back while modules are imported.

  Libraries swallow the `KeyboardInterrupt` that breaks out in their imports.
  """
  if threading.current_thread() is not threading.main_thread():
    yield
    return
  came: list[int] = []
  before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, before)
  if came:
    os.kill(os.getpid(), signal.SIGINT)


class Signals:
  """Takes note of the first signal, and ends the process at the second.

  A checkpoint is written aside, so that no moment is a bad one for that.

  Attributes:
    number: of the signal that came, or 0.
    kill: called before the process ends at the second signal.
  """

  def __init__(self):
    self.number = 0
    self.kill: Callable[[], None] = lambda: None
    self._before: dict[int, Any] = {}

  def __enter__(self) -> 'Signals':
    """Takes the signals over. Only the main thread can."""
    self._before = {number: signal.getsignal(number) for number in _NUMBERS}
    self.listen()
    return self

  def __exit__(self, *unused: types.TracebackType | Any) -> None:
    """Gives the signals back."""
    for number, handler in self._before.items():
      signal.signal(number, handler)

  def listen(self) -> None:
    """Takes the signals over again, from whoever took them in between."""
    for number in _NUMBERS:
      signal.signal(number, self._handle)

  def _handle(self, number: int, frame: types.FrameType | None) -> None:
    del frame
    if self.number:
      self.kill()
      os._exit(128 + number)
    self.number = number
    # Not print(), which may be at work just now.
    os.write(2, b'\nStopping in good order; once more to stop at once.\n')
