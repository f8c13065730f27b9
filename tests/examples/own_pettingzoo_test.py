"""A PettingZoo environment of one's own, as a user starts it."""

import os
import pathlib
import re
import runpy
import subprocess
import sys

import pytest
from pettingzoo import test as pettingzoo_test

from influence_acme.runs import checkpoint

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / 'examples' / 'own_pettingzoo.py'


@pytest.mark.slow
def test_its_agents_learn_through_a_program(tmp_path):
  done = subprocess.run(
    [sys.executable, EXAMPLE],
    capture_output=True,
    text=True,
    timeout=500,
    env={**os.environ, 'TMPDIR': str(tmp_path)},
  )
  assert done.returncode == 0, done.stderr[-3000:]
  first, last = map(int, re.findall(r'(\d+)% of the', done.stdout))
  assert first < 75 < last, done.stdout
  (run_dir,) = tmp_path.glob('own_pettingzoo_*')
  counts = checkpoint.load(run_dir / 'checkpoint').counts
  assert counts['environment_steps'] >= 8_000


def test_its_environment_is_one_of_pettingzoos():
  painters = runpy.run_path(str(EXAMPLE))['Painters']
  pettingzoo_test.parallel_api_test(painters())
