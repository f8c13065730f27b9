"""Lists the ways to run training, of which nothing is imported."""

import csv
import dataclasses
import pathlib
import socket
import sys

from benchmarks import machine

ROOT = pathlib.Path(__file__).parents[1]


@dataclasses.dataclass(frozen=True)
class Run:
  """A way to run training, of which nothing is imported.

  Attributes:
    name: in the table.
    argv: arguments of the interpreter; '{folder}' stands for a new directory.
    log: path in that directory of a CSV file, whose first row is written after
      the first update.
    clock: column of the log, in seconds.
    counter: column of the log that counts updates or environment steps.
    steps_per_count: environment steps for each count.
    python: path of the interpreter, which may be another environment's.
    cores: that each process is bound to; one process on all if empty. Several
      processes get the options that let them train one run.
  """

  name: str
  argv: tuple[str, ...]
  log: str
  clock: str
  counter: str
  steps_per_count: float = 1.0
  python: str = sys.executable
  cores: tuple[int, ...] = ()

  def command(self, folder: str) -> list[str]:
    """Returns the command line of a run in a directory."""
    return [self.python, *(a.replace('{folder}', folder) for a in self.argv)]

  def processes(self, folder: str) -> list[tuple[list[str], list[int]]]:
    """Returns the command of each process of a run, and its cores."""
    command = self.command(folder)
    if not self.cores:
      return [(command, machine.cores())]
    if len(self.cores) == 1:
      return [(command, [*self.cores])]
    together = [
      f'--coordinator=localhost:{_free_port()}',
      f'--num_processes={len(self.cores)}',
    ]
    return [
      ([*command, *together, f'--process_id={i}'], [core])
      for i, core in enumerate(self.cores)
    ]

  def read_log(self, folder: str) -> list[tuple[float, float]]:
    """Returns (seconds, environment steps learned from) of each row."""
    path = pathlib.Path(folder, self.log)
    text = path.read_text('utf-8') if path.exists() else ''
    lines = text.split('\n')[:-1]  # The last one may not be complete.
    return [
      (float(row[self.clock]), self.steps_per_count * float(row[self.counter]))
      for row in csv.DictReader(lines)
    ]


def _free_port() -> int:
  with socket.socket() as listening:
    listening.bind(('localhost', 0))
    return int(listening.getsockname()[1])


def _launchpad(launch: str) -> Run:
  """Returns five agents with MOAs on Cleanup as a Launchpad program."""
  return Run(
    name=launch,
    argv=(
      'examples/cleanup_moa.py',
      f'--launch={launch}',
      '--num_environments=144',
      '--num_steps=1000000000',
      '--run_dir={folder}/run',
    ),
    log='run/logs/learner.csv',
    clock='learner_walltime',
    counter='learner_steps',
    # 144 sequences of 20 rows, of which an episode of 1000 steps has 1001.
    steps_per_count=144 * 20 * 1000 / 1001,
  )


def _fused(name: str, python: str) -> Run:
  """Returns the same as a run of the fused trainer.

  Args:
    name: in the table.
    python: path of the interpreter.
  """
  return dataclasses.replace(
    _launchpad('threads'),
    name=name,
    argv=(
      '-m',
      'influence_acme.train',
      '--game=cleanup',
      '--variant=moa',
      '--preset=paper',
      '--batch_size=144',
      '--max_queue_size=288',
      '--num_steps=1000000000',
      '--run_dir={folder}/run',
    ),
    python=python,
  )


def _make_ways() -> dict[str, Run]:
  """Returns all ways to run, by name."""
  ways = [
    _launchpad('threads'),
    _launchpad('processes'),
    _fused('fused', sys.executable),
  ]
  # The second environment has no Acme, but today's JAX, which has meshes.
  python = ROOT / '.venv-core' / 'bin' / 'python'
  if python.exists():
    today = _fused('fused, today', str(python))
    first, *others = machine.cores()
    ways += [
      today,
      dataclasses.replace(today, name='1 x 1 core', cores=(first,)),
    ]
    if others:
      cores = first, others[0]
      ways.append(dataclasses.replace(today, name='2 x 1 core', cores=cores))
  return {run.name: run for run in ways}


WAYS = _make_ways()
