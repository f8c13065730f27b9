"""Measures in processes of their own, each on cores of its own.

A process may be bound to cores only before it imports JAX, which starts a
thread for every core that it may run on; and its peak memory is its own.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, IO

import psutil

from benchmarks import settings

ROOT = pathlib.Path(__file__).parent.parent
READY = 'ready to measure'


def run(
  part: str,
  workload: settings.Workload,
  plan: settings.Plan,
  cores: Sequence[Sequence[int]],
) -> list[dict[str, Any]]:
  """Runs a part of the benchmark, in several processes at the same time.

  Args:
    part: 'module.function' in this folder, see `child`.
    workload: what to measure.
    plan: how long.
    cores: of each process.

  Returns:
    What the part returned in each of them, and its 'peak_memory_bytes'.

  Raises:
    RuntimeError: a process failed; with what it printed.
  """
  with tempfile.TemporaryFile('w+', encoding='utf-8') as errors:
    text = settings.to_json(workload, plan)
    children = [_start(part, list(mine), text, errors) for mine in cores]
    try:
      while True:
        lines = [_next_line(child) for child in children]
        if not all(lines):
          errors.seek(0)
          raise RuntimeError(f'{part} failed:\n{errors.read()[-4000:]}')
        if lines[0] != READY:
          return [json.loads(line) for line in lines]
        for child in children:  # All at once.
          print(file=child.stdin, flush=True)
    finally:
      for child in children:
        child.kill()
        child.communicate()


def end_children_on_sigterm() -> None:
  """Makes SIGTERM an exception, so that what was started is ended, too."""
  signal.signal(signal.SIGTERM, signal.default_int_handler)


def family(process: psutil.Process) -> list[psutil.Process]:
  """Returns a process and all below it; it alone if it has ended."""
  with contextlib.suppress(psutil.NoSuchProcess):
    return [process, *process.children(recursive=True)]
  return [process]


def family_bytes(process: psutil.Process) -> int:
  """Returns the resident memory of a process and of all below it, in bytes.

  Pages that they share count in each.

  Args:
    process: the eldest; 0 if it has ended.
  """
  total = 0
  for member in family(process):
    with contextlib.suppress(psutil.NoSuchProcess):
      total += member.memory_info().rss
  return total


def environment() -> dict[str, str]:
  """Returns the environment variables of a process that measures."""
  quiet = {'TF_CPP_MIN_LOG_LEVEL': '2', 'JAX_PLATFORMS': 'cpu'}
  return {**quiet, **os.environ}


def _start(
  part: str, cores: list[int], text: str, errors: IO[str]
) -> subprocess.Popen:
  """Starts one process."""
  return subprocess.Popen(
    [sys.executable, '-m', 'benchmarks.child', part, json.dumps(cores), text],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=errors,
    text=True,
    cwd=ROOT,
    env=environment(),
  )


def _next_line(child: subprocess.Popen) -> str:
  """Returns the next line that is meant for us, or '' if there is none."""
  assert child.stdout is not None
  for line in child.stdout:
    if line.startswith((READY, '{')):
      return line.rstrip('\n')
  return ''
