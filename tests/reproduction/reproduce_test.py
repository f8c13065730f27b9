"""The example, as a user starts it."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
def test_two_seeds_of_a_tiny_game(tmp_path):
  command = [
    sys.executable,
    str(ROOT / 'examples' / 'reproduce.py'),
    '--variant=moa',
    '--seeds=0,1',
    '--num_steps=80',
    '--num_environments=2',
    '--num_agents=2',
    '--episode_length=10',
    f'--sweep_dir={tmp_path}',
  ]
  for num_steps in 80, 80, 120:  # Run; skip; go on.
    done = subprocess.run(
      [*command, f'--num_steps={num_steps}'],
      capture_output=True,
      text=True,
      timeout=500,
      cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f'2 of 2 runs have finished {num_steps} environ' in done.stdout
    assert '| moa | paper | 2 | ' in done.stdout
  for seed in 0, 1:
    run = tmp_path / 'moa' / 'paper' / f'seed_{seed}'
    assert (run / 'curves.png').exists() and (run / 'episode.json').exists()
  assert (tmp_path / 'curves.png').exists()
