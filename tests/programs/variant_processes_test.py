"""Agents that act in turns, and those that speak, in processes of their own."""

import pathlib
import sys

import numpy as np
import own_session
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
  log = tmp_path / 'log.txt'
  code, left = own_session.run(
    [sys.executable, PROGRAM, variant, str(num_environments), run_dir],
    log,
    timeout_s=1100,
  )
  assert code == 0, log.read_text()[-3000:]
  assert not left

  saved = checkpoint.load(run_dir / 'checkpoint')
  assert saved.counts['environment_steps'] >= variant_program.NUM_STEPS
  assert saved.counts['learner_steps'] >= 15  # Of 20 rows; some are left.
  learned = csv_log.read_log(run_dir / 'logs' / 'learner.csv')
  assert np.isfinite(learned['loss']).all()
  influences = [learned[f'influence/agent_{i}'] for i in range(3)]
  assert np.isfinite(influences).all()
  # Of all but the first nobody sees anything before it acts.
  are_paid = [True, variant == 'communication', variant == 'communication']
  assert [x.any() for x in map(np.array, influences)] == are_paid
