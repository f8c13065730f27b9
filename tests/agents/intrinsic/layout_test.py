"""Acme's own distributed layout trains a wrapped agent, and ends."""

import csv
import os
import pathlib
import sys

import own_session
import pytest

PROGRAM = pathlib.Path(__file__).with_name('layout_program.py')
TIMEOUT_S = 420


def _run(launch_type, directory, name):
  """Runs the program; returns its exit code, output and surviving processes."""
  path = os.pathsep.join(
    [str(PROGRAM.parent), os.environ.get('PYTHONPATH', '')]
  )
  log = directory / 'log.txt'
  code, left = own_session.run(
    [sys.executable, PROGRAM, launch_type, directory, name],
    log,
    TIMEOUT_S,
    {**os.environ, 'PYTHONPATH': path},
  )
  return code, log.read_text(errors='replace'), left


def _rows(directory, name):
  path = directory / 'logs' / name / 'logs.csv'
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.mark.slow
# At the end the actors of both wait for room in the replay.
@pytest.mark.parametrize(
  ('launch_type', 'name'), [('local_mt', 'r2d2'), ('local_mp', 'ppo')]
)
def test_the_layout_trains_and_ends(tmp_path, launch_type, name):
  code, log, left = _run(launch_type, tmp_path, name)
  assert code == 0, log
  assert not left, log
  assert list(tmp_path.glob('**/checkpoint')), log

  learner, influence = (_rows(tmp_path, x) for x in ('learner', 'influence'))
  assert len(influence) > 20, log
  assert len(learner) > 20, log
  losses = [float(row['moa_loss']) for row in influence]
  assert sum(losses[-5:]) < sum(losses[:5]) / 2
  assert float(influence[-1]['influence']) > 0
  steps = [int(float(row['actor_steps'])) for row in influence]
  assert steps == sorted(steps) and steps[-1] > 1_000
