"""One synchronous loop: the nodes of a program, called in turn by one thread.

    a step, or a sequence -> as many learner steps as there are batches -> ...

For debugging, and for runs that can be repeated bit by bit: two runs of one
seed, or an uninterrupted run and one that was resumed, have the same
parameters, counts and trajectories. Its checkpoints are therefore those of the
last end of an actor's turn (an episode, or an unroll of many environments), and
hold more than others: where every environment and actor stands, and what is in
the replay and not learned from yet.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import reverb
from acme import specs
from acme.utils import counting

from influence_acme.programs import (
  batches,
  blocking,
  journal,
  journal_client,
  learner_node,
  players,
  replays,
)
from influence_acme.programs import experiment as experiment_lib
from influence_acme.runs import checkpoint


def run(
  experiment: experiment_lib.Experiment,
  environment_spec: specs.EnvironmentSpec,
  stopping: Callable[[], bool],
) -> None:
  """Runs an experiment to its budget, or until it is stopped.

  Args:
    experiment: what to run.
    environment_spec: of its environment.
    stopping: whether to stop now.

  Raises:
    CheckpointError: the run cannot be resumed, or not be saved.
    ValueError: a part of the agent does not suit this loop.
  """
  saved = None
  if experiment.resume:
    saved = checkpoint.load(
      experiment.directory.checkpoint_path,
      experiment.make_identity(environment_spec),
    )
  tables = replays.make_tables(experiment, environment_spec)
  if len(tables) > 1:
    raise ValueError(
      f'{list(tables)} have a replay each: the one-process program needs one '
      'for all, to be resumed exactly. Launch it in threads.'
    )
  ((name, of_server),) = tables.items()
  server = reverb.Server(of_server)
  try:
    replay = reverb.Client(f'localhost:{server.port}')
    _check_replay(replay)
    _Loop(experiment, environment_spec, {name: replay}, stopping, saved).run()
  finally:
    server.stop()


class _Loop:
  """The nodes, and the loop over them."""

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    environment_spec: specs.EnvironmentSpec,
    replay: dict[str, reverb.Client],
    stopping: Callable[[], bool],
    saved: checkpoint.Checkpoint | None,
  ):
    """Makes the nodes, as new or as they were saved."""
    self._experiment = experiment
    self._stopping = stopping
    self._journal = journal.Journal()
    self._counter = counting.Counter()
    # Other programs save no such thing: their runs go on with new episodes.
    lockstep = saved.lockstep if saved else None
    self._first_step = learner_node.first_step(saved)
    if lockstep:
      self._first_step = lockstep['first_step']
    self._learner = learner_node.LearnerNode(
      experiment,
      environment_spec,
      replay,
      self._counter,
      self._make_batches,
      saved,
      self._first_step,
    )
    ((name, client),) = replay.items()
    self._clients = [
      journal_client.JournalClient(
        client.server_address, stopping, self._journal
      )
      for _ in range(experiment.num_actors)
    ]
    self._actors = [
      players.make_player(
        experiment,
        i,
        {name: own},
        self._learner,
        self._after_step,
        in_turn=True,
      )
      for i, own in enumerate(self._clients)
    ]
    self._num_turns = 0
    _check_saveable(self._actors[0])
    if lockstep:
      self._restore(lockstep, client)

  def run(self) -> None:
    """Plays and learns, and writes a checkpoint now and then, and at the end.

    The last checkpoint is that of the last end of a turn, even if an exception
    ends the run.
    """
    snapshot = self._snapshot()
    # A run that cannot be saved had better not begin.
    self._learner.write(snapshot)
    written = time.monotonic()
    try:
      while (
        learner_node.steps_so_far(self._counter) < self._experiment.num_steps
      ):
        self._play_turn()
        snapshot = self._snapshot()
        if time.monotonic() - written > self._experiment.checkpoint_seconds:
          self._learner.write(snapshot)
          written = time.monotonic()
    except (blocking.StoppedError, StopIteration):
      pass
    finally:
      self._learner.close()
      for actor in self._actors:
        actor.close()
      self._learner.write(snapshot)

  @property
  def _playing(self) -> players.Player:
    """The actor whose turn it is."""
    return self._actors[self._num_turns % len(self._actors)]

  def _play_turn(self) -> None:
    # An actor that was just restored has what it has here.
    self._playing.actor.update(wait=True)
    self._playing.play()
    self._num_turns += 1

  def _after_step(self) -> None:
    """Learns from all batches that there are."""
    if self._stopping():
      raise blocking.StoppedError
    while self._journal.num_waiting >= self._experiment.batch_size:
      self._learner.step()
      self._playing.actor.update(wait=True)

  def _make_batches(self, dataset: Iterator[Any]) -> Iterator[Any]:
    return batches.Batches(
      dataset, self._journal, self._experiment.batch_size, self._stopping
    )

  def _snapshot(self) -> checkpoint.Checkpoint:
    """Returns all that the rest of the run depends on, between two turns."""
    return self._learner.snapshot(
      {
        'first_step': self._first_step,
        'num_turns': self._num_turns,
        'num_environments': self._experiment.num_environments,
        'waiting': self._journal.save(),
        'actors': [
          checkpoint.to_numpy(
            {
              **{name: part.save() for name, part in node.parts.items()},
              'rows': client.save(),
            }
          )
          for node, client in zip(self._actors, self._clients, strict=True)
        ],
      }
    )

  def _restore(self, state: dict[str, Any], replay: reverb.Client) -> None:
    """Undoes `_snapshot`."""
    actors = state['actors']
    num_environments = self._experiment.num_environments
    for name, before, now in (
      ('num_actors', len(actors), len(self._actors)),
      ('num_environments', state['num_environments'], num_environments),
    ):
      if before != now:
        raise checkpoint.CheckpointError(
          f'The run had {name}={before}, and now has {now}: set it as it was, '
          'or resume it in threads.'
        )
    self._num_turns = state['num_turns']
    self._journal.restore(state['waiting'], replay)
    for node, client, saved in zip(
      self._actors, self._clients, actors, strict=True
    ):
      for name, part in node.parts.items():
        part.restore(saved[name])
      client.restore(saved['rows'])


def _check_replay(replay: reverb.Client) -> None:
  """Raises ValueError: the replay is no single queue."""
  tables = list(replay.server_info().values())
  is_queue = [
    table.sampler_options.fifo and table.max_times_sampled == 1
    for table in tables
  ]
  if is_queue != [True]:
    raise ValueError(
      f'The replay has the tables {[table.name for table in tables]}: the '
      'one-process program needs one table that is a queue, as of '
      'reverb.Table.queue(), to be resumed exactly. Launch it in threads.'
    )


def _check_saveable(node: players.Player) -> None:
  """Raises ValueError: actor or environment cannot be saved."""
  for part in node.parts.values():
    if not (hasattr(part, 'save') and hasattr(part, 'restore')):
      raise ValueError(
        f'{type(part).__name__} has no save() and restore(state), which the '
        'one-process program needs to be resumed exactly. Launch it in threads.'
      )
