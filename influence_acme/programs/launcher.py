"""Launches a program: in threads, as processes, or as one synchronous loop.

However it ends, it ends within seconds, leaves no process behind, and says how
by its exit code:

    0    the step budget is reached
    1    a node failed: failure.txt in the run directory has its traceback
    130  Ctrl-C
    143  SIGTERM
"""

import os
import sys

from influence_acme.programs import (
  graph,
  learner_node,
  single,
  workers,
)
from influence_acme.runs import checkpoint, failures, malloc, progress, signals

LAUNCHES = ('threads', 'processes', 'single')


def launch(program: graph.Program, launch: str = 'threads') -> int:
  """Runs a program to its end. Only the main thread can.

  Args:
    program: of `make_program`.
    launch: 'threads' of this process; 'processes', one for each node; or
      'single', a synchronous loop without Launchpad.

  Returns:
    The exit code, see above.

  Raises:
    ValueError: the launch is unknown.
    CheckpointError: the run cannot go on from its checkpoint.
    OSError: the run directory holds a run already, or nothing to resume, or
      cannot be written.
  """
  if launch not in LAUNCHES:
    raise ValueError(
      f'launch is {launch!r}: it must be one of {", ".join(LAUNCHES)}.'
    )
  experiment = program.experiment
  directory = experiment.directory
  directory.prepare(resume=experiment.resume)
  malloc.keep()
  if experiment.resume:
    # The learner would find out too, but only once everything is up.
    checkpoint.load(
      directory.checkpoint_path,
      experiment.make_identity(program.environment_spec),
    )
  directory.write_config({**experiment.identity, **experiment.config})
  stuck: list[str] = []
  with signals.Signals() as received:
    with progress.Progress(directory, experiment.num_steps):
      if launch == 'single':
        _run_single(program, received)
      else:
        stuck = workers.run(
          program.graph, launch, received, directory.failure_path
        )
    code = _conclude(program, received)
  if stuck:
    _tell(f'These nodes did not end in time: {", ".join(stuck)}.')
    if launch == 'threads':
      sys.stdout.flush()
      os._exit(code)  # There is no other way to end a thread.
  return code


def _run_single(program: graph.Program, received: signals.Signals) -> None:
  experiment = program.experiment
  try:
    single.run(
      experiment, program.environment_spec, lambda: received.number > 0
    )
  except Exception as error:  # noqa: BLE001  As for any other node.
    failures.report_exception(
      experiment.directory.failure_path, 'single', error
    )


def _conclude(program: graph.Program, received: signals.Signals) -> int:
  """Finds out how a program ended, says so, and returns the exit code."""
  directory = program.experiment.directory
  path = directory.failure_path
  if not path.exists():
    if _budget_is_reached(program):
      return 0
    if received.number:
      _tell(f'Stopped. Go on with --resume: {directory.path}')
      return 128 + received.number
    failures.report_failure(
      path, 'program', 'it ended, but its step budget is not reached.'
    )
  if not path.exists():
    return 1  # The disk is full: all there is to say was printed.
  summary, *_ = path.read_text(encoding='utf-8').splitlines() or ['It failed.']
  _tell(
    f'{summary}\nThe traceback is in {path}. Once the cause is gone: resume'
    ' (--resume), from the last checkpoint.'
  )
  return 1


def _budget_is_reached(program: graph.Program) -> bool:
  try:
    saved = checkpoint.load(program.experiment.directory.checkpoint_path)
  except checkpoint.CheckpointError:
    return False
  return learner_node.first_step(saved) >= program.experiment.num_steps


def _tell(text: str) -> None:
  print(text, file=sys.stderr, flush=True)
