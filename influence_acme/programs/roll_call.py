"""Keeps, beside the learner, the list of the hosts that take part.

Each other host calls `attend` every second: so the learner's host notices a
host that has died, and the others learn how the run ended.
"""

import dataclasses
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from influence_acme.runs import config_file, run_dir

# From one call of a host to the next, and the silence after which either side
# takes the other for dead. Nodes have 10 s to end, so that all end within 30 s.
BEAT_SECS = 1.0
LOST_SECS = 8.0
# What the end of a run waits for hosts that have not heard of it.
_FAREWELL_SECS = 4.0


class Reply(NamedTuple):
  """Holds what a host is told.

  Attributes:
    state: 'runs'; 'done': the step budget is reached; 'taken': another process
      is this host; or 'over': the host must end, and has failed.
    reason: of 'taken' and 'over'.
  """

  state: str
  reason: str = ''


@dataclasses.dataclass
class _Guest:
  """Holds what is known of a host; `heard` is None once it is lost."""

  process: str
  heard: float | None = None
  knows_end: bool = False


class RollCall:
  """Takes the calls of hosts, and writes down which come, are lost, or end."""

  def __init__(
    self,
    directory: run_dir.RunDirectory,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Makes an empty list."""
    self._directory = directory
    self._clock = clock
    self._guests: dict[str, _Guest] = {}
    self._lock = threading.Lock()
    self._end: Reply | None = None

  def attend(self, host: str, process: str, settings: str) -> Reply:
    """Notes that a host is there, and returns what it must do.

    Args:
      host: its name.
      process: of its launcher: its number and machine.
      settings: of its command, as JSON.
    """
    with self._lock:
      guest = self._guests.get(host)
      if guest is None or guest.process != process:
        if guest is not None and guest.heard is not None:
          return Reply('taken', f'{guest.process} is host {host!r} already')
        if unlike := self._compare(json.loads(settings)):
          self._tell(host, f'is refused: {unlike}')
          return Reply('over', unlike)
        known = guest is not None
        guest = self._guests[host] = _Guest(process)
        self._tell(host, f'{"is back" if known else "takes part"}: {process}')
      elif guest.heard is None:
        self._tell(host, 'is back: it was only silent')
      guest.heard = self._clock()
      guest.knows_end = self._end is not None
      return self._end or Reply('runs')

  def leave(self, host: str, process: str, reason: str) -> None:
    """Notes that a host has ended, for a reason."""
    with self._lock:
      guest = self._guests.get(host)
      if guest is not None and guest.process == process:
        guest.heard = None
        self._tell(host, f'has ended: {reason}. The run goes on without it')

  def check(self) -> None:
    """Notes the hosts that were not heard of for too long."""
    with self._lock:
      for host, guest in self._guests.items():
        if guest.heard is None or self._clock() - guest.heard <= LOST_SECS:
          continue
        guest.heard = None
        self._tell(
          host,
          f'is lost: nothing was heard of {guest.process} for {LOST_SECS:.0f} '
          's. The run goes on without it; start it again there to have it back',
        )

  def watch(self) -> None:
    """Checks now and then, in a thread, until the end."""

    def run() -> None:
      while self._end is None:
        self.check()
        time.sleep(BEAT_SECS)

    threading.Thread(target=run, name='roll call', daemon=True).start()

  def end(self, reply: Reply) -> None:
    """Tells all hosts that the run has ended, and waits until they know."""
    with self._lock:
      self._end = reply
    deadline = self._clock() + _FAREWELL_SECS
    while self._clock() < deadline and self._is_waited_for():
      time.sleep(BEAT_SECS / 10)

  def _is_waited_for(self) -> bool:
    """Returns whether a host that is there has not heard of the end."""
    with self._lock:
      return any(
        guest.heard is not None and not guest.knows_end
        for guest in self._guests.values()
      )

  def _compare(self, settings: dict[str, Any]) -> str:
    """Returns how a host's command differs from that of the learner's host."""
    own = config_file.last_settings(self._directory.config_path)
    unlike = config_file.differences(own, settings)
    directories = [x.get('run_dir') for x in (own, settings)]
    if directories[0] != directories[1]:  # A default has the time in it.
      unlike['run_dir'] = directories
    told = [f'{k} is {new!r}, not {old!r}' for k, (old, new) in unlike.items()]
    if not told:
      return ''
    return (
      f"its {'; '.join(told)}, as on the learner's host: give the same command "
      'on each'
    )

  def _tell(self, host: str, what: str) -> None:
    line = f'{time.strftime("%Y-%m-%d %H:%M:%S")} Host {host!r} {what}.'
    print(line, file=sys.stderr, flush=True)
    try:
      with open(self._directory.hosts_path, 'a', encoding='utf-8') as file:
        file.write(line + '\n')
    except OSError:  # It was printed.
      pass
