"""Starts a training run, as started by `end_to_end.measure`.

python -m benchmarks.train LAUNCH RUN_DIR SETTINGS
"""

import sys

from absl import logging

from benchmarks import population, settings
from influence_acme import programs


def main(launch: str, run_dir: str, text: str) -> int:
  """Trains until it is stopped; returns the exit code."""
  logging.set_verbosity(logging.WARNING)
  workload, _ = settings.from_json(text)
  experiment = population.make_experiment(workload, run_dir)
  return programs.launch(programs.make_program(experiment), launch)


if __name__ == '__main__':
  sys.exit(main(*sys.argv[1:]))
