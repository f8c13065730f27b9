"""A population of strangers, as a user starts it."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'strangers.py'


@pytest.mark.slow
def test_each_learns_and_logs_by_itself(tmp_path):
  done = subprocess.run(
    [sys.executable, EXAMPLE, '--num_steps=1000'],
    capture_output=True,
    text=True,
    timeout=500,
    env={**os.environ, 'HOME': str(tmp_path)},  # Acme's loggers write there.
  )
  told = done.stdout + done.stderr
  assert done.returncode == 0, told[-3000:]
  for label in ('Agent 0 Impala', 'Agent 1 Ppo', 'Environment Loop'):
    assert f'[{label}]' in told, told[-3000:]
    if 'Agent' in label:
      assert re.search(rf'\[{label} Influence\].*Moa Loss', told), told[-3000:]
