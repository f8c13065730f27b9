"""The example, as a user starts it."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_sweep_of_a_tiny_game_that_grows(tmp_path):
  command = [
    sys.executable,
    str(ROOT / 'examples' / 'reproduce.py'),
    '--variant=moa',
    '--num_environments=2',
    '--num_agents=2',
    '--episode_length=10',
    f'--sweep_dir={tmp_path}',
  ]
  for seeds, num_steps in ((0,), 80), ((0, 1), 120):
    text = ','.join(map(str, seeds))
    done = subprocess.run(
      [*command, f'--seeds={text}', f'--num_steps={num_steps}'],
      capture_output=True,
      text=True,
      timeout=550,
      cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    count = len(seeds)
    told = f'{count} of {count} runs have finished {num_steps} environ'
    assert told in done.stdout
    assert f'| moa | paper | {count} | ' in done.stdout
    for seed in seeds:
      run = tmp_path / 'moa' / 'paper' / f'seed_{seed}'
      assert (run / 'curves.png').exists()
      assert (run / 'episode.json').exists()
  assert (tmp_path / 'curves.png').exists()
