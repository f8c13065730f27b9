"""Measures whole training runs, and compares the ways to run.

A run is a command. It is watched through its log, and stopped once the log is
long enough. Its speed is taken from the log, by the run's own clock, so that
compiling is not in it.
"""

import contextlib
import csv
import dataclasses
import functools
import os
import pathlib
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from typing import IO

import psutil

from benchmarks import machine

ROOT = pathlib.Path(__file__).parents[1]
# Of what is measured.
ENVIRON = {'JAX_PLATFORMS': 'cpu', 'TF_CPP_MIN_LOG_LEVEL': '2', **os.environ}
_STOP_SECONDS, _TIMEOUT_SECONDS = 30.0, 600.0
# Name of a way to run -> what `measure` returned in each repeat.
Results = dict[str, list[dict[str, float]]]


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


def _start(
  command: Sequence[str], output: IO[str], cores: Sequence[int]
) -> psutil.Popen:
  """Starts a process that is bound to cores."""
  return psutil.Popen(
    command,
    cwd=ROOT,
    env=ENVIRON,
    stdout=output,
    stderr=output,
    preexec_fn=functools.partial(os.sched_setaffinity, 0, cores),
  )


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


def measure(run: Run, seconds: float) -> dict[str, float]:
  """Measures one training run.

  Args:
    run: the way to run.
    seconds: of the log from which the speed is taken. Before them a third as
      many are left out, until all of the run has compiled.

  Returns:
    'steps_per_second'; 'start_seconds' from the start of the command to the
    first update; 'peak_gib', resident memory of all its processes; and
    'cores_used', by which they were busy on average.

  Raises:
    RuntimeError: the run ended or took too long; with its last output.
  """
  with contextlib.ExitStack() as stack:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    output = stack.enter_context(tempfile.TemporaryFile('w+'))
    started, peak, start, first = time.monotonic(), 0.0, 0.0, None
    processes: list[psutil.Popen] = []
    for command, cores in run.processes(folder):
      processes.append(_start(command, output, cores))
      stack.callback(_stop, processes[-1])
    while True:
      is_over = any(process.poll() is not None for process in processes)
      now = time.monotonic()
      usages = [machine.usage(process) for process in processes]
      gib, cpu = (sum(x) for x in zip(*usages, strict=True))
      peak = max(peak, gib)
      if log := run.read_log(folder):
        start = start or now - started
        clock, steps = log[-1]
        if first is None and clock >= log[0][0] + seconds / 3:
          first = (now, cpu, clock, steps)
        if first is not None and clock >= first[2] + seconds:
          break
      if is_over or now > started + _TIMEOUT_SECONDS:
        output.seek(0)
        end = output.read()[-4000:]
        raise RuntimeError(f'{run.name} ended or is too slow:\n{end}')
      time.sleep(0.1)
    return {
      'steps_per_second': (steps - first[3]) / (clock - first[2]),
      'start_seconds': start,
      'peak_gib': peak,
      'cores_used': (cpu - first[1]) / (now - first[0]),
    }


def measure_in_turn(
  ways: Sequence[Run], repeats: int, seconds: float
) -> Results:
  """Measures whole runs in the order A B A B, since machines drift."""
  results: Results = {run.name: [] for run in ways}
  for _ in range(repeats):
    for run in ways:
      results[run.name].append(measure(run, seconds))
  return results


def summarise(values: Iterable[float]) -> dict[str, float]:
  """Returns the 'median', 'min' and 'max' of at least one value."""
  found = sorted(values)
  median = statistics.median(found)
  return {'median': median, 'min': found[0], 'max': found[-1]}


def compare(results: Results) -> dict[str, dict[str, dict[str, float]]]:
  """Returns 'B / A' -> field -> ratios to the first way, repeat by repeat."""
  first, *others = results
  found = {}
  for name in others:
    pairs = list(zip(results[name], results[first], strict=True))
    found[f'{name} / {first}'] = {
      key: summarise(run[key] / base[key] for run, base in pairs)
      for key in results[first][0]
    }
  return found


def _stop(process: psutil.Popen) -> None:
  """Stops a run and all its processes."""
  members = machine.family(process)
  with contextlib.suppress(psutil.NoSuchProcess):
    process.send_signal(signal.SIGTERM)
  for member in psutil.wait_procs(members, timeout=_STOP_SECONDS)[1]:
    with contextlib.suppress(psutil.NoSuchProcess):
      member.kill()
  process.wait()
