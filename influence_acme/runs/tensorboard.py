"""Writes rows of numbers to TensorBoard's event files, without TensorFlow."""

import os
import pathlib
import time
from collections.abc import Mapping

from tensorboardX import event_file_writer
from tensorboardX.proto import event_pb2, summary_pb2


class TensorBoardLogger:
  """Writes each row at once, so that a failure shows where it happens.

  A summary writer's own thread would end with the first full disk, and the run
  would wait for it for ever.
  """

  def __init__(self, directory: pathlib.Path, label: str, steps_key: str):
    """Opens a new event file in a directory; every tag begins with the label.

    Raises:
      OSError: the file cannot be written.
    """
    self._label = label
    self._steps_key = steps_key
    # The library names files by the second: two of one second differ.
    suffix = f'.{os.getpid()}.{time.monotonic_ns()}'
    self._writer = event_file_writer.EventsWriter(
      str(directory / 'events'), suffix
    )
    self._writer.flush()

  def write(self, row: Mapping[str, int | float]) -> None:
    """Writes the values of a row; raises OSError: it could not be written."""
    values = [
      summary_pb2.Summary.Value(tag=self._tag(name), simple_value=value)
      for name, value in row.items()
      if name != self._steps_key
    ]
    event = event_pb2.Event(
      wall_time=time.time(),
      step=int(row[self._steps_key]),
      summary=summary_pb2.Summary(value=values),
    )
    self._writer.write_event(event)
    self._writer.flush()

  def close(self) -> None:
    """Closes the file."""
    self._writer.close()

  def _tag(self, name: str) -> str:
    return f'{self._label}/{name}'
