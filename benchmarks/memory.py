r"""Watches the memory of a command and of all that it starts, and draws it.

python -m benchmarks.memory --folder=runs/memory -- \
  python examples/cleanup_moa.py --num_environments=144 --num_steps=5000000
"""

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil
from absl import app, flags

from benchmarks import plots, processes

_FOLDER = flags.DEFINE_string(
  'folder', 'runs/memory', 'For memory.json and the diagram.'
)
_INTERVAL = flags.DEFINE_float(
  'interval', 5.0, 'Seconds between two looks.', lower_bound=0.01
)


def growth(seconds: Sequence[float], sizes: Sequence[float]) -> float:
  """Returns how memory grows once it is settled, in bytes an hour.

  Args:
    seconds: of each sample.
    sizes: in bytes.

  Returns:
    The slope of a straight line through the second half; NaN of fewer than
    two samples.
  """
  half = len(seconds) // 2
  if len(seconds) - half < 2:
    return float('nan')
  return float(np.polyfit(seconds[half:], sizes[half:], 1)[0] * 3600)


def watch(command: Sequence[str], interval: float) -> dict[str, Any]:
  """Runs a command, and looks at its memory until it ends.

  Ctrl-C reaches the command too: it is waited for.

  Args:
    command: with its arguments.
    interval: seconds between two looks.

  Returns:
    'command', 'exit_code', 'seconds' and 'bytes' of all samples, 'peak_bytes'
    and 'growth_bytes_per_hour'.
  """
  with psutil.Popen(command) as process:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
      seconds, sizes, start = [], [], time.monotonic()
      while True:
        size = processes.family_bytes(process)
        if process.poll() is not None:
          break
        seconds.append(round(time.monotonic() - start, 1))
        sizes.append(size)
        with contextlib.suppress(psutil.TimeoutExpired):
          process.wait(interval)
    finally:
      signal.signal(signal.SIGINT, before)
  return {
    'command': subprocess.list2cmdline(command),
    'exit_code': process.returncode,
    'peak_bytes': max(sizes, default=0),
    'growth_bytes_per_hour': growth(seconds, sizes),
    'seconds': seconds,
    'bytes': sizes,
  }


def main(argv: list[str]) -> int:
  """Watches, writes, and returns the command's exit code."""
  if len(argv) < 2:
    raise app.UsageError('Give the command to watch, after --.')
  result = watch(argv[1:], _INTERVAL.value)
  folder = pathlib.Path(_FOLDER.value)
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'memory.json').write_text(json.dumps(result), encoding='utf-8')
  plots.write_memory(folder / 'memory.png', result['seconds'], result['bytes'])
  print(
    f'Peak {result["peak_bytes"] / 2**30:.2f} GiB, growing by '
    f'{result["growth_bytes_per_hour"] / 2**20:.0f} MiB an hour in the second '
    f'half: {folder}.'
  )
  return int(result['exit_code'])


if __name__ == '__main__':
  app.run(lambda argv: sys.exit(main(argv)))
