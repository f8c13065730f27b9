"""The example, as a user starts it, and the pages of what it played."""

import pathlib
import subprocess
import sys

import pytest

from influence_acme import reports
from influence_acme.runs import config_file

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_sweep_of_a_tiny_game_that_grows(tmp_path, read_page):
  base = [
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
    command = [*base, f'--seeds={text}', f'--num_steps={num_steps}']
    # As many workers as runs, and none knows of the others.
    workers = [
      subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
      )
      for _ in seeds
    ]
    told = [worker.communicate(timeout=550) for worker in workers]
    for worker, (_, errors) in zip(workers, told, strict=True):
      assert worker.returncode == 0, errors[-3000:]
    done = subprocess.run(
      [*command, '--report_only'],
      check=True,
      stdout=subprocess.PIPE,
      text=True,
      cwd=ROOT,
    ).stdout
    count = len(seeds)
    assert f'{count} of {count} runs have finished {num_steps} environ' in done
    assert f'| moa | paper | {count} | ' in done
    for seed in seeds:
      run = tmp_path / 'moa' / 'paper' / f'seed_{seed}'
      assert (run / 'curves.png').exists()
      assert (run / 'episode.json').exists()
      # Nobody went on with what another one had.
      resumed = config_file.read(run / 'config.json')['resumed']
      assert len(resumed) == (num_steps == 120 and seed == 0)
  assert (tmp_path / 'curves.png').exists()

  page = read_page(reports.write(tmp_path))
  assert '2 of 2 runs have finished 120 environment steps.' in page.text
  urls = [url for url in page.urls if not url.startswith('#')]
  assert len(urls) == 2
  page = read_page(tmp_path / urls[0])
  assert 'moa in cleanup, seed 0, ' in page.text
  # 25 x 18 cells of 16 pixels, and a column of views beside them.
  assert page.film.shape == (11, 25 * 16, 18 * 16 + 128, 3)
  assert page.film[-1].any(axis=(0, 1)).all()
  assert 'agent 0' in page.text.replace('\N{NO-BREAK SPACE}', ' ')
