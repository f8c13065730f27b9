"""Two workers of a sweep that are killed at a random moment, and started again.

One moment by default; twenty by

  INFLUENCE_ACME_MOMENTS=all pytest -m slow \
    tests/reproduction/workers_moments_test.py
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from influence_acme.runs import checkpoint, run_dir

ROOT = pathlib.Path(__file__).parents[2]
NUM_RUNS = 8
_IS_WHOLE = os.environ.get('INFLUENCE_ACME_MOMENTS') == 'all'
# Parts of the time that two workers take, at best.
MOMENTS = np.random.default_rng(0).uniform(size=20).round(3).tolist()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def _start(directory, log):
  """Starts a worker in a session of its own."""
  return subprocess.Popen(
    [
      sys.executable,
      str(ROOT / 'examples' / 'reproduce.py'),
      '--variant=baseline',
      f'--seeds={",".join(map(str, range(NUM_RUNS)))}',
      '--num_steps=200',
      '--num_environments=2',
      '--num_agents=2',
      '--episode_length=10',
      f'--sweep_dir={directory}',
    ],
    cwd=ROOT,
    stdout=log,
    stderr=log,
    start_new_session=True,
  )


def _run(directory, num_workers):
  """Runs workers to their end."""
  path = directory.with_suffix('.txt')
  with path.open('a') as log:
    workers = [_start(directory, log) for _ in range(num_workers)]
    codes = [worker.wait(timeout=900) for worker in workers]
  assert codes == [0] * num_workers, path.read_text()[-3000:]


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
  """A sweep by one worker, and the seconds that it took."""
  directory = tmp_path_factory.mktemp('sweeps') / 'undisturbed'
  started = time.monotonic()
  _run(directory, 1)
  return directory, time.monotonic() - started


@pytest.mark.parametrize('moment', MOMENTS if _IS_WHOLE else MOMENTS[:1])
def test_all_runs_end_as_if_nothing_had_happened(tmp_path, undisturbed, moment):
  expected, seconds = undisturbed
  directory = tmp_path / 'killed'
  with (tmp_path / 'first.txt').open('w') as log:
    workers = [_start(directory, log) for _ in range(2)]
    time.sleep(moment * seconds / 2)
    for worker in workers:
      os.killpg(worker.pid, signal.SIGKILL)
      worker.wait()
  _run(directory, 2)
  seeds = [f'baseline/paper/seed_{seed}' for seed in range(NUM_RUNS)]
  for name in seeds:
    first, second = (
      checkpoint.load(run_dir.RunDirectory(path / name).checkpoint_path)
      for path in (expected, directory)
    )
    assert first.learner.keys() == second.learner.keys()
    for key, value in first.learner.items():
      np.testing.assert_array_equal(value, second.learner[key], err_msg=key)
    assert (directory / name / 'episode.json').exists()
  assert not [*directory.rglob('*.worker'), *directory.rglob('lock')]
