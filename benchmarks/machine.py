"""The machine: what it is, and whether somebody else was using it."""

import importlib.metadata
import os
import platform
from typing import Any

import psutil

# Shares of the machine that others may take before a number is doubtful.
_OTHERS_LIMIT = 0.05
_BEFORE_LIMIT = 0.10


def cores() -> list[int]:
  """Returns the numbers of the cores that this process may run on."""
  return sorted(os.sched_getaffinity(0))


def describe() -> dict[str, Any]:
  """Returns what a speed depends on: the machine and the versions."""
  return {
    'cpu': _cpu_name(),
    'cores': len(cores()),
    'memory_bytes': psutil.virtual_memory().total,
    'platform': platform.platform(),
    'python': platform.python_version(),
    'jax': importlib.metadata.version('jax'),
    'jaxlib': importlib.metadata.version('jaxlib'),
  }


def load_before(seconds: float = 1.0) -> dict[str, float]:
  """Looks at the machine for a moment, before anything is measured.

  Args:
    seconds: how long to look.

  Returns:
    'load_average' of the last minute, and 'busy_before', the share of our
    cores that was in use while we looked.
  """
  shares = psutil.cpu_percent(interval=seconds, percpu=True)
  ours = [shares[core] for core in cores()]
  return {
    'load_average': os.getloadavg()[0],
    'busy_before': sum(ours) / len(ours) / 100,
  }


class Watch:
  """Measures which share of our cores' time others take, while it is open.

  All processes that were started meanwhile must have been waited for.

  Attributes:
    others_share: of all time of our cores, once it is closed.
  """

  def __enter__(self) -> 'Watch':
    self._busy, self._all, self._own = _read_times()
    return self

  def __exit__(self, *_: Any) -> None:
    busy, all_, own = _read_times()
    others = (busy - self._busy) - (own - self._own)
    # The kernel's clock ticks coarsely: a short time may look negative.
    self.others_share = max(0.0, others / max(all_ - self._all, 1e-9))


def doubts(busy_before: float, others_shares: dict[str, float]) -> list[str]:
  """Says what is doubtful since others used the machine.

  Args:
    busy_before: as of `load_before`.
    others_shares: as of `Watch`, by the name of what was measured.

  Returns:
    Sentences, none if the machine was idle.
  """
  found = []
  if busy_before > _BEFORE_LIMIT:
    found.append(f'Before the start {busy_before:.0%} of it was in use.')
  for name, share in others_shares.items():
    if share > _OTHERS_LIMIT:
      found.append(f'Others took {share:.0%} of it during {name}.')
  return found


def _read_times() -> tuple[float, float, float]:
  """Returns seconds of our cores in use, and of all; and our own use."""
  busy = total = 0.0
  times = psutil.cpu_times(percpu=True)
  for core in cores():
    fields = times[core]._asdict()
    # A guest's time is in the user's already.
    seconds = sum(v for k, v in fields.items() if not k.startswith('guest'))
    total += seconds
    busy += seconds - fields['idle'] - fields.get('iowait', 0.0)
  own = os.times()
  return busy, total, sum(own[:4])  # With the children that have ended.


def _cpu_name() -> str:
  try:
    with open('/proc/cpuinfo', encoding='utf-8') as file:
      for line in file:
        if line.startswith('model name'):
          return line.partition(':')[2].strip()
  except OSError:
    pass
  return platform.processor() or platform.machine()
