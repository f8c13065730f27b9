"""Agents that act in turns, and those that speak, in processes of their own."""

import pathlib
import subprocess
import sys

import numpy as np
import psutil
import pytest
import variant_program

from influence_acme.runs import checkpoint, csv_log

PROGRAM = pathlib.Path(variant_program.__file__)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
  ('variant', 'num_environments'),
  [('basic_influence', 0), ('communication', 4)],  # Step by step; vectorised.
)
def test_a_run_in_processes(tmp_path, variant, num_environments):
  run_dir = tmp_path / 'run'
  done = subprocess.run(
    [sys.executable, PROGRAM, variant, str(num_environments), run_dir],
    capture_output=True,
    text=True,
    timeout=1100,
  )
  assert done.returncode == 0, done.stderr[-3000:]
  left = [
    process
    for process in psutil.process_iter(['cmdline'])
    if any(str(run_dir) in part for part in process.info['cmdline'] or ())
  ]
  assert not left

  saved = checkpoint.load(run_dir / 'checkpoint')
  assert saved.counts['environment_steps'] >= variant_program.NUM_STEPS
  assert saved.counts['learner_steps'] >= 15  # Of 20 rows; some are left.
  log = csv_log.read_log(run_dir / 'logs' / 'learner.csv')
  assert np.isfinite(log['loss']).all()
  influences = [log[f'influence/agent_{i}'] for i in range(3)]
  assert np.isfinite(influences).all()
  # Of all but the first nobody sees anything before it acts.
  are_paid = [True, variant == 'communication', variant == 'communication']
  assert [x.any() for x in map(np.array, influences)] == are_paid
