"""Box Trapped, as a user starts it, for far too few steps to learn anything."""

import json
import pathlib
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'box_trapped.py'


@pytest.mark.slow
def test_it_trains_counts_openings_and_draws_them(tmp_path):
  run = tmp_path / 'run'
  command = [sys.executable, str(EXAMPLE)]
  subprocess.run(
    [*command, f'--run_dir={run}', '--num_steps=4000', '--num_episodes=20'],
    check=True,
    timeout=300,
  )
  found = json.loads((run / 'openings.json').read_text())
  assert found['variant'] == 'basic_influence' and found['seed'] == 0
  assert len(found['times']) == 20
  # Untrained, agent_0 opens in one of eight steps: in 98% of episodes.
  assert found['share'] > 0.8
  assert all(time is None or 0 <= time < 30 for time in found['times'])
  assert (run / 'openings.png').exists()

  drawn = subprocess.run(
    [*command, f'--draw={tmp_path}'], check=True, timeout=60, stdout=-1
  )
  assert b'basic_influence, seed 0: opened in' in drawn.stdout
  assert (tmp_path / 'openings.png').exists()
