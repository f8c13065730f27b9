"""Runs the part of a program that lies on a host without the learner.

It starts once the learner answers, and ends when that says so, or is gone.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from typing import Any

import launchpad as lp

from influence_acme.programs import graph, roll_call, workers
from influence_acme.runs import (
  config_file,
  failures,
  malloc,
  outcome,
  progress,
  signals,
)

# A call that takes longer has failed.
_CALL_SECS = 3.0
# What the learner may take to start; it may have to wait in a queue.
_START_SECS = 900.0
_POLL_SECS = 0.1


def run(
  program: graph.Program, launch: str, settings: Mapping[str, Any]
) -> tuple[int, list[str]]:
  """Runs this host's nodes until the run ends, a signal comes, or they fail.

  Returns:
    The exit code, and the names of nodes that did not end in time.
  """
  hosts, directory = program.hosts, program.directory
  assert hosts is not None  # Else there is no other host.
  directory.prepare_host()
  malloc.keep()
  client = lp.CourierClient(
    hosts.learner_address, call_timeout=_CALL_SECS, wait_for_ready=False
  )

  def probe() -> None:
    # A client that has failed to connect waits longer and longer.
    address = hosts.home.address, hosts.learner_port
    socket.create_connection(address, timeout=_CALL_SECS).close()

  stuck: list[str] = []
  with (
    signals.Signals() as received,
    Attendance(client, hosts.name, settings, probe) as learner,
  ):
    print(f'The learner is at {hosts.learner_address}.', file=sys.stderr)
    while not (received.number or learner.is_over or learner.has_joined):
      time.sleep(_POLL_SECS)
    if learner.has_joined:
      with progress.Progress([directory], program.experiment.num_steps):
        stuck = workers.run(
          program.graph,
          launch,
          received,
          directory.failure_path,
          lambda: learner.is_over,
        )
    if learner.failure:
      failures.report_failure(
        directory.failure_path, f'host {hosts.name}', learner.failure
      )
    code = outcome.conclude(
      directory, is_done=learner.is_done, signal_number=received.number
    )
    if not learner.is_over:
      learner.leave(_reason(directory.failure_path, received.number))
  return code, stuck


def _reason(failure_path: pathlib.Path, signal_number: int) -> str:
  """Returns why this host ends, in one line."""
  if failure_path.exists():
    lines = failure_path.read_text(encoding='utf-8').splitlines()
    return (lines or ['it failed'])[0]
  if not signal_number:  # Its failure could not be written down.
    return 'it failed'
  return f'stopped by {signal.Signals(signal_number).name}'


class Attendance:
  """Calls the learner every second while entered.

  Attributes:
    has_joined: whether the learner has taken this host.
    is_done: whether the run has reached its step budget.
    failure: why this host must end before that; '' if it need not.
  """

  def __init__(
    self,
    learner: Any,
    host: str,
    settings: Mapping[str, Any],
    probe: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Makes it; entering starts the calls.

    Args:
      learner: a client of the learner node, whose calls fail when it is gone.
      host: the name of this one.
      settings: of the run by name.
      probe: called before each call until one succeeds; raises an error if the
        learner is not up.
      clock: of seconds.
    """
    self._learner = learner
    self._host = host
    self._process = f'process {os.getpid()} on {socket.gethostname()}'
    self._settings = json.dumps(config_file.to_json(settings))
    self._probe = probe
    self._clock = clock
    self._left = threading.Event()
    self._heard = clock()
    self._taken: float | None = None  # Since when it is.
    self._thread = threading.Thread(target=self._run, daemon=True)
    self.has_joined = False
    self.is_done = False
    self.failure = ''

  @property
  def is_over(self) -> bool:
    """Returns whether this host must end."""
    return self.is_done or bool(self.failure)

  def __enter__(self) -> 'Attendance':
    self._thread.start()
    return self

  def __exit__(self, *unused: types.TracebackType | Any) -> None:
    self._left.set()
    self._thread.join()

  def leave(self, reason: str) -> None:
    """Tells the learner, if it is there, in a line why this host ends."""
    self._left.set()
    self._thread.join()
    with contextlib.suppress(Exception):  # It will miss this host.
      self._learner.leave(self._host, self._process, reason)

  def _run(self) -> None:
    while not self.is_over and not self._left.wait(roll_call.BEAT_SECS):
      self.attend()

  def attend(self) -> None:
    """Calls once, and takes note of the reply."""
    silence = self._clock() - self._heard
    try:
      if not self.has_joined:
        self._probe()
      state, reason = self._learner.attend(
        self._host, self._process, self._settings
      )
    except Exception as error:  # noqa: BLE001  Of a library, without a type.
      patience = roll_call.LOST_SECS if self.has_joined else _START_SECS
      if silence > patience:
        self.failure = (
          f'the learner does not answer for {silence:.0f} s: {error}'
        )
      return
    if state == 'taken' and not self.has_joined:
      # A process that was killed just now is missed only after a while.
      now = self._clock()
      self._taken = now if self._taken is None else self._taken
      if now - self._taken > 2 * roll_call.LOST_SECS:
        self.failure = reason
      return
    self._heard = self._clock()
    self.has_joined = state == 'runs'
    self.is_done = state == 'done'
    if not (self.has_joined or self.is_done):
      self.failure = reason
