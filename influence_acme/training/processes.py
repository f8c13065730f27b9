"""Joins several processes into one run, and lets them agree.

All of them make the same calls in the same order, and process 0 alone writes.
Each holds a part of the global arrays. One that ends, or cannot be reached,
ends the others: at once if its connections close, else after the time below.
"""

import inspect
import os
import sys
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

# Argument of `jax.distributed.initialize` -> seconds; of older ones not all.
_TIMEOUTS = {
  # From the last sign of life of a process to the end of the others.
  'heartbeat_timeout_seconds': 30,
  # That processes, which have agreed to end, wait for each other.
  'shutdown_timeout_seconds': 20,
}
# Words of an error that a process which cannot be reached may have raised.
_OF_LOSS = ('Gloo', 'UNAVAILABLE', 'onnection', 'heartbeat', 'peer')


def join(
  coordinator: str, process_id: int | None, num_processes: int | None
) -> None:
  """Joins the other processes of a run, before JAX's first array.

  Args:
    coordinator: as of `TrainConfig`; '' for one process.
    process_id: likewise.
    num_processes: likewise.

  Raises:
    ValueError: the process cannot join; the message says why.
  """
  if not coordinator:
    return
  distributed: Any = jax.distributed  # As mypy may know an older one.
  if not hasattr(distributed, 'is_initialized'):
    raise ValueError(
      f'coordinator is {coordinator!r}: this JAX, {jax.__version__}, cannot '
      'join processes; install a later one, or leave it out.'
    )
  if distributed.is_initialized():
    return
  known = inspect.signature(distributed.initialize).parameters
  try:
    distributed.initialize(
      None if coordinator == 'auto' else coordinator,
      num_processes,
      process_id,
      **{name: x for name, x in _TIMEOUTS.items() if name in known},
    )
  except (RuntimeError, ValueError) as error:
    raise ValueError(
      f'coordinator is {coordinator!r}, process_id {process_id}, num_processes '
      f'{num_processes}: the process cannot join the others: {error}'
    ) from error


def is_first() -> bool:
  """Returns whether this process writes what the run writes."""
  return jax.process_index() == 0


def agree(number: int) -> int:
  """Returns the largest of the numbers that the processes call this with."""
  if jax.process_count() == 1:
    return number
  return int(np.max(multihost_utils.process_allgather(np.int32(number))))


def to_host(tree: Any) -> Any:
  """Returns the whole of global arrays, as NumPy arrays.

  Args:
    tree: of arrays, or of what NumPy takes for one.
  """

  def get(x: Any) -> np.ndarray:
    if isinstance(x, jax.Array) and not (
      x.is_fully_addressable or x.is_fully_replicated
    ):
      x = multihost_utils.process_allgather(x, tiled=True)
    return np.asarray(x)

  return jax.tree_util.tree_map(get, tree)


def explain(error: Exception) -> Exception:
  """Returns an error that names the loss of a process, if this may be it."""
  if jax.process_count() == 1:
    return error
  if not any(word in str(error) for word in _OF_LOSS):
    return error
  lost = RuntimeError(
    'Another process of this run has ended, or cannot be reached; see what it '
    'says. The run goes on from its checkpoint with fewer processes and '
    'devices, too.'
  )
  lost.__cause__ = error
  return lost


def leave(code: int) -> None:
  """Ends a process that failed, of several: the others notice at once.

  An orderly end would wait for them, and they for its share of the work.
  """
  if jax.process_count() > 1:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
