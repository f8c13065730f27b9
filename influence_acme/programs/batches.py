"""The batches of a learner that is called in turn with its actors."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from influence_acme.programs import blocking, journal

# A batch that has been written arrives much sooner, if on a busy machine too.
_BATCH_SECS = 300.0


class Batches(Iterator[Any]):
  """The learner's batches, struck out of the journal as it takes them."""

  def __init__(
    self,
    dataset: Iterator[Any],
    waiting: journal.Journal,
    batch_size: int,
    stopping: Callable[[], bool],
  ):
    self._journal = waiting
    self._batch_size = batch_size
    self._stopping = stopping
    self._dataset = dataset

  def __next__(self) -> Any:
    """Returns the next batch.

    Raises:
      StopIteration: the program stops.
      ValueError: the learner does not take one batch of `batch_size` items
        for a step.
    """
    if self._journal.num_waiting < self._batch_size:
      raise ValueError(
        'The learner takes several batches for a step, which the one-process '
        'program does not know. Launch it in threads.'
      )
    deadline = time.monotonic() + _BATCH_SECS
    # One batch and no more: a thread that waits for another one would never
    # end, nor would the dataset's own threads.
    batch = blocking.StoppableIterator(
      itertools.islice(self._dataset, 1),
      lambda: self._stopping() or time.monotonic() > deadline,
    )
    try:
      sample = next(batch)
    except StopIteration:
      if self._stopping():
        raise
      raise ValueError(
        f'{self._journal.num_waiting} items wait, but no batch came in '
        f'{_BATCH_SECS:.0f} s. If the machine was not too busy for it, the '
        'batches of the builder hold more than batch_size of the experiment, '
        f'{self._batch_size}: set it to that of the builder.'
      ) from None
    num_items = np.size(sample.info.key)
    if num_items != self._batch_size:
      raise ValueError(
        f'batch_size of the experiment is {self._batch_size}, but the batches '
        f'of the builder hold {num_items}: set it to that of the builder.'
      )
    self._journal.consume(num_items)
    return sample
