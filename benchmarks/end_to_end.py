"""Whole training runs, through `programs.launch`, each for a short time.

A run is started in a process of its own, watched through its CSV logs, and
stopped by SIGTERM. Its speed is that of its learner: environment steps that
were learned from, between two rows of its log, by the learner's own clock.
Nothing waits for ever in a queue, so that acting has the same speed.
"""

import contextlib
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import psutil

from benchmarks import processes, settings
from influence_acme.runs import csv_log

_POLL_SECONDS = 0.1
_STOP_SECONDS = 30.0
# To the first learner step, and between two: compiling takes long.
_TIMEOUT_SECONDS = 900.0


def measure(
  workload: settings.Workload, plan: settings.Plan, launch: str
) -> dict[str, Any]:
  """Measures one training run.

  Args:
    workload: of the run.
    plan: how long to watch it.
    launch: 'single', 'threads' or 'processes'.

  Returns:
    'rates', environment steps/s in each repeat; 'start_up_seconds', from the
    start of the process to the end of the first learner step; and
    'peak_memory_bytes', resident memory of all processes together (pages that
    they share count in each).

  Raises:
    RuntimeError: the run failed, or did not learn in time.
  """
  with tempfile.TemporaryDirectory() as folder:
    run = _Run(workload, plan, launch, pathlib.Path(folder))
    try:
      run.watch(lambda log: len(log['learner_steps']) > 0)
      start_up = time.monotonic() - run.started
      enough = plan.settle_seconds + plan.repeats * plan.window_seconds
      run.watch(lambda log: _has_enough(log, plan, enough))
    finally:
      run.stop()
    log = run.read_log()
    return {
      'rates': window_rates(
        log['learner_steps'] * workload.steps_per_update,
        log['learner_walltime'],
        plan.settle_seconds,
        plan.repeats,
      ),
      'start_up_seconds': start_up,
      'peak_memory_bytes': run.peak_memory,
    }


def window_rates(
  steps: np.ndarray, seconds: np.ndarray, settle: float, repeats: int
) -> list[float]:
  """Returns the speed in consecutive windows of a log.

  Args:
    steps: so far, at each row.
    seconds: of each row.
    settle: seconds after the first row that are left out.
    repeats: how many windows, each of the same number of rows, about.

  Returns:
    Steps per second of each window.
  """
  first = np.searchsorted(seconds, seconds[0] + settle)
  edges = np.linspace(first, len(seconds) - 1, repeats + 1).astype(int)
  return (np.diff(steps[edges]) / np.diff(seconds[edges])).tolist()


def _has_enough(
  log: dict[str, np.ndarray], plan: settings.Plan, seconds: float
) -> bool:
  """Returns whether a log is long enough, in time and in rows."""
  times = log['learner_walltime']
  num_rows = np.sum(times >= times[0] + plan.settle_seconds)
  return times[-1] >= times[0] + seconds and num_rows > plan.repeats


class _Run:
  """A training run in a process of its own.

  Attributes:
    started: when, by the monotonic clock.
    peak_memory: so far, in bytes.
  """

  def __init__(
    self,
    workload: settings.Workload,
    plan: settings.Plan,
    launch: str,
    folder: pathlib.Path,
  ):
    self._output = folder / 'output.txt'
    self._log = folder / 'run' / 'logs' / 'learner.csv'
    text = settings.to_json(workload, plan)
    command = ['-m', 'benchmarks.train', launch, str(folder / 'run'), text]
    self.peak_memory = 0
    self.started = time.monotonic()
    with open(self._output, 'w', encoding='utf-8') as output:
      self._process = psutil.Popen(
        [sys.executable, *command],
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=processes.ROOT,
        env=processes.environment(),
      )

  def watch(self, is_enough: Any) -> None:
    """Waits until the learner's log is enough, and measures memory."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
      size = processes.family_bytes(self._process)
      self.peak_memory = max(self.peak_memory, size)
      log = self.read_log()
      if log and is_enough(log):
        return
      if self._process.poll() is not None or time.monotonic() > deadline:
        raise RuntimeError(
          'The run ended, or is too slow to be measured:\n'
          + self._output.read_text(encoding='utf-8')[-4000:]
        )
      time.sleep(_POLL_SECONDS)

  def read_log(self) -> dict[str, np.ndarray]:
    """Returns the learner's log, empty if there is no row yet."""
    return csv_log.read_log(self._log) if self._log.exists() else {}

  def stop(self) -> None:
    """Ends the run, its processes too."""
    family = processes.family(self._process)
    with contextlib.suppress(psutil.NoSuchProcess):
      self._process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=_STOP_SECONDS)
    for process in alive:
      with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
    self._process.wait()
