"""The node that learns, counts and saves. It knows nothing of Launchpad."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import reverb
from acme import specs
from acme.utils import counting

from influence_acme.programs import blocking, replays, roll_call
from influence_acme.programs import experiment as experiment_lib
from influence_acme.runs import checkpoint, loggers, save_clock


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
    stopping: Callable[[], bool],
  ):
    """Makes the learner, which samples from its replays, or restores it.

    Raises:
      CheckpointError: the run cannot go on from its checkpoint.
    """
    directory = experiment.directory
    self._directory = directory
    self._path = directory.checkpoint_path
    self._checkpoint_seconds = experiment.checkpoint_seconds
    self._num_steps = experiment.num_steps
    self._identity = experiment.make_identity(environment_spec)
    self._counter = counting.Counter()
    self._first_step = 0
    self._entered: set[int] = set()
    self._roll = roll_call.RollCall(directory)
    saved = None
    if self._path.exists():  # It is a resume.
      saved = checkpoint.load(
        self._path, self._identity, experiment.allow_changes
      )
      self._counter.restore({'counts': dict(saved.counts), 'cache': {}})
      self._first_step = saved.environment_steps
    self._logger = directory.make_logger('learner', experiment.logger_factory)
    builder = experiment.builder_factory(self._logger)
    clients = replays.for_builder(replay)
    self._datasets: list[blocking.StoppableIterator] = []

    def must_end() -> bool:
      return stopping() or self._steps() >= experiment.num_steps

    def wrap(dataset: Iterator[Any]) -> Iterator[Any]:
      self._datasets.append(blocking.StoppableIterator(dataset, must_end))
      return self._datasets[-1]

    self._learner = builder.make_learner(
      experiment.learner_key(),
      experiment.network_factory(environment_spec),
      replays.each(wrap, builder.make_dataset_iterator(clients)),
      clients,
      # It takes no call to another node to be up to date.
      counting.Counter(self._counter, 'learner', time_delta=-1),
    )
    if saved:
      self._learner.restore(
        checkpoint.restore(self._path, saved.learner, self._learner.save())
      )

  def run(self) -> None:
    """Learns until the dataset ends; then writes the last checkpoint."""
    self._roll.watch()
    is_done = False
    try:
      # A run that cannot be saved had better not begin.
      self._save()
      clock = save_clock.SaveClock(self._directory, self._checkpoint_seconds)
      with contextlib.suppress(StopIteration):
        while True:
          self._step()
          if clock.is_due():
            self._save()
      self._save()
      is_done = self._steps() >= self._num_steps
    finally:
      self._end_roll(is_done)
      self._logger.close()

  def _step(self) -> None:
    """Learns from one batch.

    Raises:
      StopIteration: the dataset has ended.
    """
    try:
      self._learner.step()
    except Exception as error:
      # Acme's prefetching makes another error of the end of its samples.
      if not any(dataset.has_ended for dataset in self._datasets):
        raise
      raise StopIteration from error

  def _save(self) -> None:
    """Writes a checkpoint; `CheckpointError` if that fails."""
    checkpoint.save(
      self._path,
      checkpoint.Checkpoint(
        self._identity,
        self._counter.get_counts(),
        checkpoint.to_numpy(self._learner.save()),
      ),
    )

  def _steps(self) -> int:
    """Returns the environment steps so far."""
    return int(self._counter.get_counts().get(loggers.STEPS_KEY, 0))

  def _end_roll(self, is_done: bool) -> None:
    """Tells the other hosts how the run has ended."""
    early = f'the learner has ended early, at {self._steps():,} steps'
    state, reason = ('done', '') if is_done else ('over', early)
    self._roll.end(roll_call.Reply(state, reason))

  def attend(self, host: str, process: str, settings: str) -> roll_call.Reply:
    """Notes that another host is there, see `roll_call.RollCall`."""
    return self._roll.attend(host, process, settings)

  def leave(self, host: str, process: str, reason: str) -> None:
    """Notes that another host has ended, likewise."""
    self._roll.leave(host, process, reason)

  def enter(self, actor_id: int) -> int:
    """Returns the steps that an actor's random numbers depend on.

    They are those where the run began: 0, or the steps at which it was resumed.
    For an actor that comes back they are the present ones: it plays no episode
    a second time.
    """
    if actor_id in self._entered:
      return self._steps()
    self._entered.add(actor_id)
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
