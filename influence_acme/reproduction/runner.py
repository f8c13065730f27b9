"""Runs a sweep: what is finished is skipped, what was interrupted goes on."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from influence_acme import playing, training
from influence_acme.playing import results as evaluation_results
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import (
  checkpoint,
  config_file,
  curves,
  episode_record,
  failures,
  lock,
  run_dir,
)

# (sweep, run, resume=) -> exit code.
Train = Callable[..., int]
_Run = TypeVar('_Run')


def run(
  sweep: sweep_lib.Sweep, train: Train | None = None, shard: str = '0/1'
) -> int:
  """Runs all of a sweep that is not finished, one run after the other.

  A run that fails does not keep the others from running. One that was stopped
  does: whoever stops it wants the sweep to stop. Several workers may run one
  sweep: what another one has is left to it.

  Args:
    sweep: what to run.
    train: (sweep, run, resume=whether to go on with it) -> exit code, as of
      `training.run`; None for what the sweep's `launch` says.
    shard: 'i/n' for the runs i, i + n, i + 2n, ... alone.

  Returns:
    0 if every run is finished, or another worker's that runs; 1 if some have
    failed, or were left by a worker of another host; else the exit code of the
    run that was stopped.

  Raises:
    ValueError: another sweep lies in the directory, or the shard is none.
  """
  runs = part_of(sweep.runs(), shard)
  sweep.prepare()
  train = train or _train
  failed = False
  for each in runs:
    try:
      with claim(each.directory):
        code = _run_one(sweep, each, train)
    except lock.InUseError as error:
      print(f'{each.name} is left out: {error}', file=sys.stderr)
      failed |= isinstance(error, lock.AbandonedError)
      continue
    if code > 1:
      print('The same command goes on with the sweep.', file=sys.stderr)
      return code
    failed |= code == 1
  return int(failed)


def part_of(runs: Sequence[_Run], part: str) -> list[_Run]:
  """Returns the runs i, i + n, i + 2n, ... of a part 'i/n', with 0 <= i < n.

  Raises:
    ValueError: the part is none.
  """
  index, _, count = part.partition('/')
  if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
    raise ValueError(
      f'shard is {part!r}: it must be i/n with 0 <= i < n, as 0/4.'
    )
  return list(runs[int(index) :: int(count)])


@contextlib.contextmanager
def claim(directory: run_dir.RunDirectory) -> Iterator[None]:
  """Keeps other workers from a run while entered, before it has a directory.

  Raises:
    InUseError: another worker has it.
    OSError: the claim, a file beside the directory, cannot be written.
  """
  path = directory.path.with_name(f'{directory.path.name}.worker')
  path.parent.mkdir(parents=True, exist_ok=True)
  held = lock.acquire(path, directory.path)
  try:
    yield
  finally:
    lock.release(held)


def _train(sweep: sweep_lib.Sweep, each: sweep_lib.Run, *, resume: bool) -> int:
  if sweep.launch == 'single':
    return training.run(sweep.make_config(each, resume=resume))
  from influence_acme import programs  # Needs Acme.
  from influence_acme.reproduction import launchpad_run

  experiment = launchpad_run.make_experiment(sweep, each, resume=resume)
  return programs.launch(programs.make_program(experiment), sweep.launch)


def _run_one(sweep: sweep_lib.Sweep, each: sweep_lib.Run, train: Train) -> int:
  code = finish(
    each.directory,
    sweep.num_steps,
    sweep_lib.EPISODE_NAME,
    lambda resume: train(sweep, each, resume=resume),
  )
  if not code and not (each.directory.path / sweep_lib.EPISODE_NAME).exists():
    _evaluate(each.directory)
  return code


def finish(
  directory: run_dir.RunDirectory,
  num_steps: int,
  evaluated_name: str,
  train: Callable[[bool], int],
) -> int:
  """Trains a run as far as it is not, and draws its curves.

  Args:
    directory: of the run.
    num_steps: environment steps of the whole run.
    evaluated_name: of a file in it with what the trained agents do, which is
      removed where they go on learning.
    train: takes whether to go on with the run, and returns its exit code.

  Returns:
    The exit code; 0 if nothing was left to do.
  """
  done = checkpoint.steps_done(directory.checkpoint_path)
  if done is not None and done >= num_steps:
    return 0
  if done is None and directory.config_path.exists():
    _set_aside(directory)
  (directory.path / evaluated_name).unlink(missing_ok=True)
  code = train(done is not None)
  with failures.optional('curves.png'):
    curves.write_curves(directory)
  return code


def _evaluate(directory: run_dir.RunDirectory) -> None:
  """Plays an episode with what a run has learned, and writes what it showed."""
  evaluation = playing.evaluate(playing.load(directory.path), num_episodes=1)
  evaluation_results.write(
    directory.evaluation_path, evaluation, {'episodes': 1, 'seed': 0}
  )
  for path in (directory.video_path, directory.episode_path):
    path.unlink(missing_ok=True)  # Of an older version, which pages prefer.
  _write_episode(directory, evaluation.records[0])


def _set_aside(directory: run_dir.RunDirectory) -> None:
  """Makes way for a run in place of one without a checkpoint of use."""
  path = directory.path
  aside = path.with_name(f'{path.name}.lost_{time.time_ns()}')
  with directory.hold():  # Raises if another program runs in it.
    os.rename(path, aside)
  print(
    f'{path} has no checkpoint to go on from, and starts anew. What was there '
    f'is now {aside}.',
    file=sys.stderr,
  )


def _write_episode(
  directory: run_dir.RunDirectory, episode: episode_record.EpisodeRecord
) -> None:
  """Writes what an episode showed, with null for what has no meaning."""
  content: dict[str, object] = {
    'influenced': None,
    'influential_share': None,
    'measures': {
      name: None if np.isnan(value) else value
      for name, value in episode.measures.items()
    },
  }
  if episode.influence_matrix is not None:
    # A column is the influence on its agent; the diagonal is NaN.
    influenced = np.nansum(episode.influence_matrix, axis=0).tolist()
    content |= {
      'influenced': dict(zip(episode.agent_ids, influenced, strict=True)),
      'influential_share': episode.influential_share,
    }
  config_file.write_json(directory.path / sweep_lib.EPISODE_NAME, content)
