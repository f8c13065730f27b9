"""One process of a measurement, as started by `processes.run`.

  python -m benchmarks.child MODULE.FUNCTION CORES SETTINGS

The function takes the workload, the plan and a function to call when it is
warm: that one waits until all processes of the measurement are.
"""

import importlib
import json
import os
import resource
import sys

from benchmarks import processes, settings


def wait_for_others() -> None:
  """Tells that this process is ready, and waits for the word to go."""
  print(processes.READY, flush=True)
  sys.stdin.readline()


def main(part: str, cores: str, text: str) -> None:
  """Measures, and prints the result as one line of JSON."""
  os.sched_setaffinity(0, json.loads(cores))  # Before JAX is imported.
  module, function = part.split('.')
  measure = getattr(importlib.import_module(f'benchmarks.{module}'), function)
  result = measure(*settings.from_json(text), wait_for_others)
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
  print(json.dumps({**result, 'peak_memory_bytes': peak}), flush=True)


if __name__ == '__main__':
  main(*sys.argv[1:])
