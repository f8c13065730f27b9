"""The CSV logs of a run: one file a label, written and read again.

The first column of every file is the environment steps at which a row was
logged, and its last row always ends with a newline: so a reader can follow a
file that is being written, in another thread or process.
"""

import contextlib
import csv
import io
import os
import pathlib
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np


class CSVLogger:
  """Appends rows to a CSV file, and widens it for columns that come later.

  Acme's own one drops the keys that its first row lacks, and goes on in a file
  that is already there under a header that need not be the file's. This one
  takes up the file's columns, and writes each row at once: what was logged
  outlives a killed process. A file has one writer; that may be many threads.
  """

  def __init__(self, path: str | os.PathLike[str], first_column: str):
    """Opens a file, which may hold rows; raises OSError: it is not writable.

    The first column is the key of the environment steps, which every row has.
    """
    self._path = pathlib.Path(path)
    self._first_column = first_column
    self._lock = threading.Lock()
    self._file = open(self._path, 'ab', buffering=0)  # noqa: SIM115
    _drop_torn_row(self._path)
    with open(self._path, newline='', encoding='utf-8') as file:
      self._columns = next(csv.reader(file), [])

  def write(self, data: Mapping[str, Any]) -> None:
    """Appends a row, column -> value; a column that it lacks stays empty.

    Raises:
      OSError: the row could not be written. The file is as it was before.
    """
    with self._lock:
      new = [key for key in data if key not in self._columns]
      if new:
        self._widen(
          sorted(new, key=lambda key: (key != self._first_column, key))
        )
      self._append(_line([data.get(key, '') for key in self._columns]))

  def close(self) -> None:
    """Closes the file."""
    with self._lock:
      self._file.close()

  def _widen(self, new: list[str]) -> None:
    """Rewrites the file with more columns at its right, written aside."""
    columns = self._columns + new
    aside = self._path.with_suffix('.csv.new')
    try:
      with (
        open(self._path, newline='', encoding='utf-8') as old,
        open(aside, 'w', newline='', encoding='utf-8') as wide,
      ):
        rows = csv.reader(old)
        next(rows, None)
        wide.write(_line(columns))
        wide.writelines(_line(row + [''] * len(new)) for row in rows)
    except OSError:
      with contextlib.suppress(OSError):
        aside.unlink()
      raise
    os.replace(aside, self._path)
    self._file.close()
    self._file = open(self._path, 'ab', buffering=0)  # noqa: SIM115
    self._columns = columns

  def _append(self, line: str) -> None:
    """Writes a whole line or nothing."""
    size = os.fstat(self._file.fileno()).st_size
    encoded = line.encode('utf-8')
    try:
      if self._file.write(encoded) < len(encoded):
        raise OSError(f'Only a part of a row fitted into {self._path}.')
    except OSError:
      self._file.truncate(size)
      raise


def read_log(
  path: str | os.PathLike[str], max_bytes: int | None = None
) -> dict[str, np.ndarray]:
  """Reads a log, also while it is being written.

  A resumed run goes back to its last checkpoint. The rows that were logged
  after that checkpoint, and so were lived through again, are left out.

  Args:
    path: of the file.
    max_bytes: how much of the end to read; all by default.

  Returns:
    Column -> float64 [R], NaN where a row is empty. The first column comes
    first and does not decrease. Empty if there is no row.

  Raises:
    OSError: the file cannot be read.
    ValueError: it is no log.
  """
  try:
    return _read_log(path, max_bytes)
  except (ValueError, csv.Error) as error:
    raise ValueError(f'{path} is no log of a run: {error}.') from error


def is_log(path: str | os.PathLike[str], first_column: str) -> bool:
  """Returns whether a file is a log, perhaps one without rows."""
  try:
    read_log(path)
    with open(path, newline='', encoding='utf-8') as file:
      return next(csv.reader(file), [first_column])[:1] == [first_column]
  except (ValueError, csv.Error):
    return False


def _read_log(
  path: str | os.PathLike[str], max_bytes: int | None
) -> dict[str, np.ndarray]:
  """Reads a log as `read_log` does; raises what the library does."""
  with open(path, 'rb') as file:
    header = file.readline()
    body_start = file.tell()
    size = file.seek(0, os.SEEK_END)
    start = body_start
    if max_bytes is not None and size - max_bytes > body_start:
      file.seek(size - max_bytes)
      file.readline()  # The rest of a row.
      start = file.tell()
    file.seek(start)
    lines = file.read().decode('utf-8').splitlines(keepends=True)
  if lines and not lines[-1].endswith('\n'):
    lines.pop()  # It is being written just now.
  columns = next(csv.reader([header.decode('utf-8')]), [])
  rows = [row for row in csv.reader(lines) if len(row) == len(columns)]
  if not rows:
    return {}
  values = np.array([[_number(cell) for cell in row] for row in rows])
  values = values[~np.isnan(values[:, 0])]
  steps = values[:, 0]
  values = values[steps <= np.minimum.accumulate(steps[::-1])[::-1]]
  return dict(zip(columns, values.T, strict=True))


def _drop_torn_row(path: pathlib.Path) -> None:
  """Cuts off a last row that has no end: a machine that failed left it."""
  with open(path, 'r+b') as file:
    size = file.seek(0, os.SEEK_END)
    tail_start = file.seek(max(size - 2**20, 0))
    end = file.read().rfind(b'\n') + 1
    file.truncate(tail_start + end)


def _line(values: list[Any]) -> str:
  """Formats one row, its end included."""
  text = io.StringIO()
  csv.writer(text, lineterminator='\n').writerow(values)
  return text.getvalue()


def _number(cell: str) -> float:
  return float(cell) if cell else float('nan')
