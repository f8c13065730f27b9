"""Launchpad nodes under supervision: none fails, or outlives the rest, unseen.

Launchpad itself takes no notice of a process that fails. A supervised node
writes its traceback to a file, and ends; the launcher sees that it ended and
stops the others.
"""

import os
import pathlib
import signal
import sys
import threading
import time
from typing import Any

import launchpad as lp
from absl import logging

from influence_acme.runs import failures, malloc

# A node often fails because another one has just gone. If the program is told
# to stop within this time, then that one is to blame.
_BLAME_SECS = 1.0
# What a node may take to end once the launcher is gone.
_ORPHAN_SECS = 10.0


class _FixedAddress(lp.AbstractAddressBuilder):
  """An address of a file of hosts."""

  def __init__(self, address: str):
    self._address = address

  def build(self) -> str:
    return self._address


class _Supervised:
  """Mixed into a Launchpad node that has a `run` method."""

  def __init__(
    self, name: str, failure_path: pathlib.Path, *args: Any, **kwargs: Any
  ):
    """Makes the node; its failure is written to the path."""
    super().__init__(*args, **kwargs)
    self.name = name
    self._failure_path = failure_path
    self._launcher = os.getpid()
    self._address_is_fixed = False
    self.blame_secs = _BLAME_SECS
    self._verbosity = logging.get_verbosity()

  def listen_at(self, address: str) -> None:
    """Fixes the 'host:port' at which the node listens."""
    for own in self.addresses:  # type: ignore[attr-defined]
      own.bind(_FixedAddress(address))
    self._address_is_fixed = True

  def bind_addresses(self, **kwargs: Any) -> None:
    """Chooses a free port, unless the address is fixed; for Launchpad."""
    if not self._address_is_fixed:
      super().bind_addresses(**kwargs)  # type: ignore[misc]

  def run(self) -> None:
    """Runs the node to its end, whatever that is."""
    stop = lp.stop_event()
    has_own_process = os.getpid() != self._launcher
    if has_own_process:
      malloc.keep()
      logging.set_verbosity(self._verbosity)
      _follow_launcher(self._launcher, stop)
    failed = False
    try:
      super().run()  # type: ignore[misc]
    except BaseException as error:  # noqa: BLE001  None may pass unseen.
      if not stop.wait(self.blame_secs):
        failed = True
        failures.report_exception(self._failure_path, self.name, error)
    if has_own_process:
      # The threads of C++ libraries can hang or crash an orderly exit.
      sys.stdout.flush()
      sys.stderr.flush()
      os._exit(int(failed))


class ReverbNode(_Supervised, lp.ReverbNode):
  """The replay."""


class CourierNode(_Supervised, lp.CourierNode):
  """A node whose methods others can call."""


class ClassNode(_Supervised, lp.PyClassNode):
  """A node that nobody calls."""


def _follow_launcher(launcher: int, stop: threading.Event) -> None:
  """Makes this process stop on SIGTERM, or if the launcher is gone."""

  def watch() -> None:
    while os.getppid() == launcher:
      time.sleep(1.0)
    stop.set()
    time.sleep(_ORPHAN_SECS)
    os._exit(1)

  # Launchpad's own handler prints a countdown in every process.
  signal.signal(signal.SIGTERM, lambda *_: stop.set())
  threading.Thread(target=watch, name='watch', daemon=True).start()
