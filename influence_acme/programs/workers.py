"""Runs a Launchpad program, and ends all of it when any node of it ends.

Normally the first node to end is the learner, whose step budget is reached.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import launchpad as lp
from absl import flags
from launchpad.launch import worker_manager

from influence_acme import compat
from influence_acme.runs import failures, signals

# What nodes may take to end in good order.
_STOP_SECS = 10.0
_POLL_SECS = 0.1

# A thread or a process; by the name of its node.
Workers = dict[str, worker_manager.ThreadWorker | subprocess.Popen]


def run(
  program: lp.Program,
  launch: str,
  received: signals.Signals,
  failure_path: pathlib.Path,
  is_over: Callable[[], bool] = lambda: False,
) -> list[str]:
  """Runs a program until a node ends or a signal comes; then stops the rest.

  It stops for another reason, too, if `is_over`.

  Returns:
    The names of the nodes that did not end in time. Processes among them were
    killed, threads still run.
  """
  manager = _start(program, launch, received)
  workers = _name_workers(program, manager)
  received.kill = lambda: _kill(workers)
  while not (
    received.number or is_over() or any(map(_has_ended, workers.values()))
  ):
    time.sleep(_POLL_SECS)
  if not (received.number or is_over()):
    _report_deaths(workers, failure_path)
  return _stop(manager, workers)


def _start(
  program: lp.Program, launch: str, received: signals.Signals
) -> worker_manager.WorkerManager:
  """Launches the program, and leaves it to us to end it."""
  if not flags.FLAGS.is_parsed():
    flags.FLAGS(sys.argv[:1])  # Launchpad reads flags.
  # At the end of a countdown Launchpad would kill the launcher too.
  flags.FLAGS['lp_termination_notice_secs'].value = -1
  with _without_interrupts(received):
    if launch == 'threads':
      return lp.launch(program, launch_type='local_mt')
    # The type for tests runs the processes as our own children. The other one
    # puts a shell around each, which hides its exit code, and outlives it.
    return lp.launch(
      program,
      launch_type='test_mp',
      local_resources=_local_resources(program),
      test_case=_NoTestCase(),
    )


class _NoTestCase:
  """Stands in for the test case that Launchpad wants to clean up after."""

  def addCleanup(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802
    """Does nothing: we stop the program ourselves."""


def _local_resources(program: lp.Program) -> dict[str, Any]:
  """Returns how to start the processes of each group.

  Beyond what Acme needs: they find the modules that we find, and the flag by
  which `ps` tells them apart.
  """
  path = os.pathsep.join(filter(None, sys.path))
  return {
    label: dataclasses.replace(
      resources,
      args={**resources.args, 'lp_job_name': label},
      env={**resources.env, 'PYTHONPATH': path},
    )
    for label, resources in compat.local_resources(program).items()
  }


@contextlib.contextmanager
def _without_interrupts(received: signals.Signals) -> Iterator[None]:
  """Makes threads and processes started here blind to Ctrl-C.

  A terminal sends it to every process, but only the launcher is to act on it:
  also on one that came meanwhile.
  """
  mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
  try:
    yield
  finally:
    received.listen()  # Launchpad has taken the signals over.
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _name_workers(
  program: lp.Program, manager: worker_manager.WorkerManager
) -> Workers:
  # Launchpad has no public way to learn which node ended, or how.
  started = manager._active_workers
  return {
    node.name: worker
    for label, group in program.groups.items()
    for node, worker in zip(group, started[label], strict=True)
  }


def _has_ended(worker: worker_manager.ThreadWorker | subprocess.Popen) -> bool:
  if isinstance(worker, subprocess.Popen):
    return worker.poll() is not None
  return not worker.thread.is_alive()


def _report_deaths(workers: Workers, failure_path: pathlib.Path) -> None:
  """Reports processes that ended without a word of their own."""
  for name, worker in workers.items():
    code = worker.poll() if isinstance(worker, subprocess.Popen) else None
    if code is None or code == 0 or (code == 1 and failure_path.exists()):
      continue
    how = f'ended with exit code {code}; see what it printed'
    if code < 0:
      how = f'was killed by {signal.Signals(-code).name}'
      if -code == signal.SIGKILL:
        how += '; if not by you, then perhaps since memory ran out'
    failures.report_failure(
      failure_path, name, f'its process {worker.pid} {how}.'
    )


def _stop(manager: worker_manager.WorkerManager, workers: Workers) -> list[str]:
  """Stops all nodes; returns the names of those that did not end in time."""
  # It waits for ever: not here.
  stopper = threading.Thread(target=manager.stop_and_wait, daemon=True)
  stopper.start()
  deadline = time.monotonic() + _STOP_SECS
  while time.monotonic() < deadline:
    if all(map(_has_ended, workers.values())):
      stopper.join(timeout=1)
      return []
    time.sleep(_POLL_SECS)
  stuck = [name for name, w in workers.items() if not _has_ended(w)]
  _kill(workers)
  return stuck


def _kill(workers: Workers) -> None:
  """Kills what can be killed: processes."""
  for worker in workers.values():
    if isinstance(worker, subprocess.Popen):
      worker.kill()
      worker.wait()
