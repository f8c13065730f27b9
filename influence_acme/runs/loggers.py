"""Logs what the parts of a run measure, to CSV files and TensorBoard."""

import math
import os
import pathlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from absl import logging

from influence_acme.runs import csv_log, tensorboard


class Logger(Protocol):
  """Takes rows of nested dicts of numbers; Acme's loggers are such."""

  def write(self, data: Mapping[str, Any]) -> None:
    """Writes a row."""

  def close(self) -> None:
    """Closes the outputs."""


# Takes the label of a node, 'learner' or 'actor_0', and is called in that node.
LoggerFactory = Callable[[str], Logger]


# What the counter of a program calls the steps of all its environments.
STEPS_KEY = 'environment_steps'


# Rows of TensorBoard are this share of the time since the first apart: one a
# second would take 400 MB a day, and no more than a thousand points are drawn.
_GROWTH = 1e-3
# A sum since the run began: of rows that are averaged the last one counts.
_IS_COUNT = re.compile(r'(^|_)(steps|episodes|walltime)$')


def make_logger(
  directory: str | os.PathLike[str],
  label: str,
  steps_key: str = STEPS_KEY,
  *,
  time_delta: float = 1.0,
  logger_factory: LoggerFactory | None = None,
) -> Logger:
  """Makes a logger that writes `label.csv` and `tensorboard/label`.

  It may be written to by any number of threads. An output that fails in mid-run
  (a full disk) is reported, and tried again with the next row: a run is not
  lost for its logs. Rows that come after `close` are dropped, since a thread
  may still be in its last step when the run ends.

  Args:
    directory: for the logs of the run; made if it is not there.
    label: of the node, its own: letters, digits, '_', '-' and '.'.
    steps_key: the count of environment steps among the values; 0 if they lack
      it, as a counter does before its first count.
    time_delta: seconds; rows that follow another one faster are averaged into
      the next row that is written, or at the end into one of their own. In
      TensorBoard rows are further and further apart, likewise.
    logger_factory: makes one more output of the user's own, which gets the rows
      of the CSV file; None for no more.

  Raises:
    ValueError: the label does not make a file name.
    OSError: the directory cannot be written.
    TypeError: what `logger_factory` makes is no logger.
  """
  if not re.fullmatch(r'[\w-][\w.-]*', label):
    raise ValueError(
      f'The label of a logger names its files, but {label!r} does not: use '
      "letters, digits, '_', '-' and '.' only."
    )
  own = [] if logger_factory is None else [_make_own(logger_factory, label)]
  path = pathlib.Path(directory)
  events = path / 'tensorboard' / label
  events.mkdir(parents=True, exist_ok=True)
  board = tensorboard.TensorBoardLogger(events, label, steps_key)
  outputs: list[Logger] = [
    csv_log.CSVLogger(path / f'{label}.csv', steps_key),
    _RunLogger((board,), steps_key, 0.0, _GROWTH),
    *own,
  ]
  return _RunLogger(outputs, steps_key, time_delta)


def _make_own(logger_factory: LoggerFactory, label: str) -> Logger:
  """Makes the user's logger; raises TypeError: it is none."""
  made = logger_factory(label)
  if not all(callable(getattr(made, x, None)) for x in ('write', 'close')):
    raise TypeError(
      f'logger_factory({label!r}) is {made!r}: it must return an object with '
      'write(data) and close().'
    )
  return made


def make_silent() -> Logger:
  """Makes a logger that writes nothing."""
  return _RunLogger((), STEPS_KEY, 0.0)


class _RunLogger:
  """Flattens rows, averages those that come fast, and survives its outputs."""

  def __init__(
    self,
    outputs: Sequence[Logger],
    steps_key: str,
    time_delta: float,
    growth: float = 0.0,
  ):
    self._outputs = outputs
    self._steps_key = steps_key
    self._time_delta = time_delta
    self._growth = growth
    self._started = time.monotonic()
    self._lock = threading.Lock()
    self._held: list[dict[str, int | float]] = []
    self._written = -math.inf
    self._closed = False

  def write(self, data: Mapping[str, Any]) -> None:
    row = flatten(data, self._steps_key)
    with self._lock:
      if self._closed:
        return
      self._held.append(row)
      now = time.monotonic()
      # In whole seconds: the first rows of a run are all written.
      apart = max(self._time_delta, self._growth * (now - self._started) // 1)
      if now - self._written >= apart:
        self._flush()

  def close(self) -> None:
    with self._lock:
      if self._closed:
        return
      self._closed = True
      if self._held:
        self._flush()
      for output in self._outputs:
        try:
          output.close()
        except Exception as error:  # noqa: BLE001  Perhaps of a user's own.
          logging.error('%s was not closed: %s', *_told(output, error))

  def _flush(self) -> None:
    row = average(self._held)
    self._held, self._written = [], time.monotonic()
    for output in self._outputs:
      try:
        output.write(row)
      except Exception as error:  # noqa: BLE001  Perhaps of a user's own.
        logging.log_every_n_seconds(
          logging.ERROR, '%s did not log a row: %s', 60, *_told(output, error)
        )


def _told(output: Logger, error: Exception) -> tuple[str, str]:
  """Returns the names of an output and of its error, for a message."""
  return type(output).__name__, f'{type(error).__name__}: {error}'


def average(
  rows: Sequence[Mapping[str, int | float]],
) -> dict[str, int | float]:
  """Joins flat rows: means of what is not NaN, the last of each count."""
  if len(rows) == 1:
    return dict(rows[0])
  joined: dict[str, int | float] = {}
  for name in dict.fromkeys(name for row in rows for name in row):
    values = [row[name] for row in rows if name in row]
    if _IS_COUNT.search(name):
      joined[name] = values[-1]
    else:
      defined = [value for value in values if not math.isnan(value)]
      joined[name] = float(np.mean(defined)) if defined else math.nan
  return joined


def flatten(data: Mapping[str, Any], steps_key: str) -> dict[str, int | float]:
  """Flattens what a node logs, so that every logger can take it.

  `{'episode_return': {'agent_0': 1.0}}` becomes `episode_return/agent_0`, an
  array `x` of more than one number `x/0`, `x/1`, ...; a None is left out.
  Returns by agent get their sum, `collective_return`; the count of steps is 0
  if it is not there.

  Raises:
    TypeError: a value is no number.
  """
  flat: dict[str, int | float] = {steps_key: 0}
  for key, value in data.items():
    _flatten_into(flat, str(key), value)
  flat[steps_key] = int(flat[steps_key])
  returns = [v for k, v in flat.items() if k.startswith('episode_return/')]
  if returns:
    flat['collective_return'] = sum(returns)
  return flat


def _flatten_into(flat: dict[str, int | float], key: str, value: Any) -> None:
  """Adds a value, or everything in it, under its key."""
  if value is None:
    return
  if isinstance(value, Mapping):
    for inner, inner_value in value.items():
      _flatten_into(flat, f'{key}/{inner}', inner_value)
    return
  array = np.asarray(value)
  if array.size != 1:
    for index, entry in enumerate(array):
      _flatten_into(flat, f'{key}/{index}', entry)
    return
  number = array.reshape(())[()]
  if np.issubdtype(array.dtype, np.integer) or array.dtype == bool:
    flat[key] = int(number)
    return
  try:
    flat[key] = float(str(number))  # float32(0.1) as 0.1, not 0.100000001490116
  except ValueError:
    raise TypeError(
      f'Only numbers can be logged, but {key!r} is {value!r}.'
    ) from None
