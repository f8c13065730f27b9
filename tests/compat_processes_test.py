"""Acme's own program of processes trains with one of our parts inside."""

import csv
import os
import pathlib
import subprocess
import sys
import uuid

import numpy as np
import psutil
import pytest

PROGRAM = pathlib.Path(__file__).parent / 'compat_program.py'
NUM_KEPT_SAMPLES, WEIGHT = 10, 0.5  # As in the program.
TIMEOUT_S = 420
_MARK = 'INFLUENCE_ACME_TEST_RUN'


def _processes(mark):
  """Returns every living process that inherited the mark."""
  found = []
  for process in psutil.process_iter():
    try:
      if process.environ().get(_MARK) == mark:
        found.append(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
      continue
  return found


def _run(directory):
  """Runs the program; returns its exit code, output and surviving processes."""
  mark = uuid.uuid4().hex
  log = directory / 'log.txt'
  try:
    with log.open('wb') as file:
      code = subprocess.run(
        [sys.executable, str(PROGRAM), str(directory)],
        stdout=file,
        stderr=subprocess.STDOUT,
        env={**os.environ, _MARK: mark},
        timeout=TIMEOUT_S,
      ).returncode
    _, left = psutil.wait_procs(_processes(mark), timeout=15)
  finally:
    for process in _processes(mark):
      process.kill()
  return code, log.read_text(errors='replace'), left


@pytest.mark.slow
def test_stock_impala_trains_as_processes_with_an_influence_adder(tmp_path):
  code, log, left = _run(tmp_path)
  assert code == 0, log
  assert not left, log

  # What the learner was given: the reward is all influence, in its own row.
  for index in range(NUM_KEPT_SAMPLES):
    sample = np.load(tmp_path / f'sample_{index}.npz')
    is_dummy = sample['start_of_episode'][:, 1:]  # Rows of LAST observations.
    expected = np.where(is_dummy, 0.0, WEIGHT * (sample['action'][:, :-1] + 1))
    np.testing.assert_allclose(sample['reward'][:, :-1], expected)
    assert not is_dummy.all()

  with (tmp_path / 'learner' / 'logs' / 'logs.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert len(rows) >= NUM_KEPT_SAMPLES / 2, log
  for row in rows:
    assert float(row['param_updates_norm']) > 0
