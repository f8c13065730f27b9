"""Measures whole training runs, and compares the ways to run.

A run is a command. It is watched through its log, and stopped once the log is
long enough. Its speed is taken from the log, by the run's own clock, so that
compiling is not in it.
"""

import contextlib
import functools
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from typing import IO

import psutil

from benchmarks import machine, ways

# Of what is measured.
ENVIRON = {'JAX_PLATFORMS': 'cpu', 'TF_CPP_MIN_LOG_LEVEL': '2', **os.environ}
_STOP_SECONDS, _TIMEOUT_SECONDS = 30.0, 600.0
# Name of a way to run -> what `measure` returned in each repeat.
Results = dict[str, list[dict[str, float]]]


def _start(
  command: Sequence[str], output: IO[str], cores: Sequence[int]
) -> psutil.Popen:
  """Starts a process that is bound to cores."""
  return psutil.Popen(
    command,
    cwd=ways.ROOT,
    env=ENVIRON,
    stdout=output,
    stderr=output,
    preexec_fn=functools.partial(os.sched_setaffinity, 0, cores),
  )


def measure(run: ways.Run, seconds: float) -> dict[str, float]:
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
  compared: Sequence[ways.Run], repeats: int, seconds: float
) -> Results:
  """Measures whole runs in the order A B A B, since machines drift."""
  results: Results = {run.name: [] for run in compared}
  for _ in range(repeats):
    for run in compared:
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
