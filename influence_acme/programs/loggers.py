"""Loggers of a run: what its nodes log goes to CSV files and TensorBoard."""

import functools
import os
import pathlib
import re
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging
from acme.utils import loggers
from acme.utils.loggers import base

from influence_acme.programs import csv_log

# What the counter of a program calls the steps of all its environments.
STEPS_KEY = 'environment_steps'


def make_logger(
  directory: str | os.PathLike[str],
  label: str,
  steps_key: str = STEPS_KEY,
  *,
  time_delta: float = 1.0,
) -> base.Logger:
  """Makes the logger of one node: `label.csv` and `tensorboard/label`.

  It may be written to by any number of threads. An output that fails in mid-run
  (a full disk) is reported, and tried again with the next row: a run is not
  lost for its logs. What is written after `close` is dropped, since a node may
  still be in its last step when the run ends.

  Args:
    directory: for the logs of the run; made if it is not there.
    label: of the node, its own: letters, digits, '_', '-' and '.'.
    steps_key: the count of environment steps among the values; 0 if they lack
      it, as a counter does before its first count.
    time_delta: seconds; rows that follow another one faster are dropped.

  Returns:
    A logger of nested dicts of numbers, see `flatten`.

  Raises:
    ValueError: the label does not make a file name.
    OSError: the directory cannot be written.
  """
  if not re.fullmatch(r'[\w-][\w.-]*', label):
    raise ValueError(
      f'The label of a logger names its files, but {label!r} does not: use '
      "letters, digits, '_', '-' and '.' only."
    )
  # Imports TensorFlow, which takes seconds: for those alone who log.
  import tensorflow as tf
  from acme.utils.loggers import tf_summary

  path = pathlib.Path(directory)
  events = path / 'tensorboard' / label
  events.mkdir(parents=True, exist_ok=True)
  failures = (OSError, tf.errors.OpError)
  outputs = [
    _Guard(csv_log.CSVLogger(path / f'{label}.csv', steps_key), failures),
    _Guard(tf_summary.TFSummaryLogger(str(events), label, steps_key), failures),
  ]
  serialize_fn = functools.partial(flatten, steps_key=steps_key)
  logger = loggers.aggregators.Dispatcher(outputs, serialize_fn)
  return loggers.TimeFilter(logger, time_delta) if time_delta else logger


def flatten(data: base.LoggingData, steps_key: str) -> dict[str, int | float]:
  """Flattens what a node logs, so that every logger can take it.

  `{'episode_return': {'agent_0': 1.0}}` becomes `episode_return/agent_0`, an
  array `x` of more than one number `x/0`, `x/1`, ...; a None is left out.
  Returns by agent get their sum, `collective_return`.

  Args:
    data: nested dicts of numbers and arrays of numbers.
    steps_key: set to 0 if it is not there, and an int if it is.

  Returns:
    Name -> int or float.

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


class _Guard(base.Logger):
  """Keeps what fails in a logger away from the node that logs."""

  def __init__(self, to: base.Logger, failures: tuple[type[Exception], ...]):
    """Wraps a logger.

    Args:
      to: where the rows go.
      failures: exceptions of it that are reported, not raised.
    """
    self._to = to
    self._failures = failures
    self._lock = threading.Lock()
    self._closed = False

  def write(self, data: base.LoggingData) -> None:
    with self._lock:
      if self._closed:
        return
      try:
        self._to.write(data)
      except self._failures as error:
        logging.log_every_n_seconds(
          logging.ERROR, 'A row was not logged: %s', 60, error
        )

  def close(self) -> None:
    with self._lock:
      if self._closed:
        return
      self._closed = True
      try:
        self._to.close()
      except self._failures as error:
        logging.error('A log was not closed: %s', error)
