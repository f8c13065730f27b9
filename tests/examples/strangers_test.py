"""A population of strangers, as a user starts it."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from influence_acme import programs

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'strangers.py'


@pytest.mark.slow
def test_each_learns_and_logs_by_itself(tmp_path):
  done = subprocess.run(
    [sys.executable, EXAMPLE, '--num_steps=2000'],
    capture_output=True,
    text=True,
    timeout=500,
    env={**os.environ, 'TMPDIR': str(tmp_path)},
  )
  assert done.returncode == 0, done.stderr[-3000:]
  (run_dir,) = tmp_path.glob('strangers_*')
  log = programs.read_log(run_dir / 'logs' / 'learner.csv')
  for agent_id in ('agent_0', 'agent_1'):
    influence = log[f'influence/{agent_id}']
    assert np.nanmin(influence) >= 0
    assert np.isfinite(log[f'moa_loss/{agent_id}'][-1])
    assert log[f'learner_{agent_id}_steps'][-1] > 10
  actor = programs.read_log(run_dir / 'logs' / 'actor_0.csv')
  assert {f'episode_return/agent_{i}' for i in range(4)} <= set(actor)
