"""Describes the machine, and what processes use of it."""

import contextlib
import importlib.metadata
import os
import pathlib
import platform
import re
from typing import Any

import psutil


def cores() -> list[int]:
  """Returns the numbers of the cores that this process may run on."""
  return sorted(os.sched_getaffinity(0))


def describe() -> dict[str, Any]:
  """Returns the CPU model, the number of cores, memory and versions."""
  info = pathlib.Path('/proc/cpuinfo')
  text = info.read_text('utf-8') if info.exists() else ''
  model = re.search(r'^model name\s*: (.*)$', text, re.MULTILINE)
  return {
    'cpu': model[1] if model else platform.machine(),
    'cores': len(cores()),
    'memory_gib': psutil.virtual_memory().total / 2**30,
    'python': platform.python_version(),
    'jax': importlib.metadata.version('jax'),
  }


def load() -> dict[str, float]:
  """Returns the 'average' load of a minute, and the share of 'busy' cores.

  The latter is that of one second, in which this process sleeps.
  """
  busy = psutil.cpu_percent(interval=1) / 100
  return {'average': os.getloadavg()[0], 'busy': busy}


def family(process: psutil.Process) -> list[psutil.Process]:
  """Returns a process and its descendants; only itself if it has ended."""
  with contextlib.suppress(psutil.NoSuchProcess):
    return [process, *process.children(recursive=True)]
  return [process]


def usage(process: psutil.Process) -> tuple[float, float]:
  """Returns what a process and its descendants use; 0 of those that ended.

  Returns:
    Resident memory in GiB, in which shared pages count once a process, and
    CPU time so far in seconds.
  """
  gib = seconds = 0.0
  for member in family(process):
    with contextlib.suppress(psutil.NoSuchProcess):
      gib += member.memory_info().rss / 2**30
      seconds += sum(member.cpu_times()[:2])
  return gib, seconds
