"""The node that learns, counts and saves.

It knows nothing of Launchpad, no more than that of `actor_node`: a program runs
them in threads or processes of their own, or calls them in turn.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import reverb
from acme import specs
from acme.utils import counting

from influence_acme.programs import experiment as experiment_lib
from influence_acme.programs import replays
from influence_acme.runs import checkpoint, loggers


def steps_so_far(counter: counting.Counter) -> int:
  """Returns the environment steps of all actors, those before a resume too."""
  return counter.get_counts().get(loggers.STEPS_KEY, 0)


def first_step(saved: checkpoint.Checkpoint | None) -> int:
  """Returns the environment steps before a run that goes on from `saved`."""
  return int(saved.counts.get(loggers.STEPS_KEY, 0)) if saved else 0


class LearnerNode:
  """Learns, counts for all, and writes both into one checkpoint.

  The program's counter lives here, so that a checkpoint holds parameters and
  counts of the same moment. Actors use the node as a variable source and as
  the parent of their counters.
  """

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    environment_spec: specs.EnvironmentSpec,
    replay: Mapping[str, reverb.Client],
    counter: counting.Counter,
    wrap_dataset: Callable[[Iterator[Any]], Iterator[Any]],
    saved: checkpoint.Checkpoint | None,
    first_step: int,
  ):
    """Makes the learner, or restores it.

    Args:
      experiment: what is run.
      environment_spec: of its environment.
      replay: where the learner samples, by name; see `replays`.
      counter: the program's; it gets the saved counts.
      wrap_dataset: makes an iterator that ends, if it blocks, of one that may
        block for ever.
      saved: what to go on from.
      first_step: of the run, for the random keys of actors.

    Raises:
      CheckpointError: what is saved does not fit.
    """
    directory = experiment.directory
    self._path = directory.checkpoint_path
    self._checkpoint_seconds = experiment.checkpoint_seconds
    self._identity = experiment.make_identity(environment_spec)
    self._counter = counter
    if saved:
      counter.restore({'counts': dict(saved.counts), 'cache': {}})
    self._first_step = first_step
    self._logger = directory.make_logger('learner')
    builder = experiment.builder_factory(self._logger)
    clients = replays.for_builder(replay)
    self._datasets: list[Iterator[Any]] = []

    def wrap(dataset: Iterator[Any]) -> Iterator[Any]:
      self._datasets.append(wrap_dataset(dataset))
      return self._datasets[-1]

    self._learner = builder.make_learner(
      experiment.learner_key(),
      experiment.network_factory(environment_spec),
      replays.each(wrap, builder.make_dataset_iterator(clients)),
      clients,
      # It takes no call to another node to be up to date.
      counting.Counter(counter, 'learner', time_delta=-1),
    )
    if saved:
      self._learner.restore(
        checkpoint.restore(self._path, saved.learner, self._learner.save())
      )

  def run(self) -> None:
    """Learns until the dataset ends; then writes the last checkpoint."""
    try:
      # A run that cannot be saved had better not begin.
      self.write(self.snapshot())
      written = time.monotonic()
      with contextlib.suppress(StopIteration):
        while True:
          self.step()
          if time.monotonic() - written > self._checkpoint_seconds:
            self.write(self.snapshot())
            written = time.monotonic()
      self.write(self.snapshot())
    finally:
      self.close()

  def step(self) -> None:
    """Learns from one batch.

    Raises:
      StopIteration: the dataset has ended.
    """
    try:
      self._learner.step()
    except Exception as error:
      # Acme's prefetching makes another error of the end of its samples.
      if not any(getattr(x, 'has_ended', False) for x in self._datasets):
        raise
      raise StopIteration from error

  def snapshot(self) -> checkpoint.Checkpoint:
    """Returns everything that is needed to go on from here."""
    return checkpoint.Checkpoint(
      self._identity,
      self._counter.get_counts(),
      checkpoint.to_numpy(self._learner.save()),
    )

  def write(self, snapshot: checkpoint.Checkpoint) -> None:
    """Writes a checkpoint; `CheckpointError` if that fails."""
    checkpoint.save(self._path, snapshot)

  def close(self) -> None:
    """Closes the learner's logs."""
    self._logger.close()

  def first_step(self) -> int:
    """Returns where the run began: 0, or the steps at which it was resumed."""
    return self._first_step

  def get_variables(self, names: Sequence[str]) -> list[Any]:
    """Returns variables of the learner."""
    return self._learner.get_variables(names)

  def increment(self, **counts: int | float) -> dict[str, int | float]:
    """Adds to the program's counts, and returns all of them."""
    return self._counter.increment(**counts)

  def get_counts(self) -> dict[str, int | float]:
    """Returns the program's counts."""
    return self._counter.get_counts()
