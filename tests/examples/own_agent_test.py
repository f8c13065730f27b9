"""An agent of one's own, as its page shows it and as a user starts it."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / 'examples' / 'own_agent.py'


def test_the_page_shows_few_lines_that_are_those_of_the_example():
  page = (ROOT / 'agents' / 'intrinsic' / 'README.md').read_text('utf-8')
  (diff,) = re.findall(r'```diff\n(.*?)```', page, re.DOTALL)
  example = [line.strip() for line in EXAMPLE.read_text('utf-8').splitlines()]
  example = [line.split('  # influence')[0] for line in example]
  shown = [line for line in diff.splitlines() if line[0] in '+ ']
  for line in shown:
    assert line[1:].strip() in [*example, '...'], line
  changed = [line for line in diff.splitlines() if line[0] in '+-']
  assert len(changed) <= 10


@pytest.mark.slow
def test_it_trains_and_tells(tmp_path):
  done = subprocess.run(
    [sys.executable, EXAMPLE, '--num_steps=800', '--episode_length=50'],
    capture_output=True,
    text=True,
    timeout=500,
    cwd=tmp_path,
    env={**os.environ, 'HOME': str(tmp_path)},  # Acme's loggers write there.
  )
  told = done.stdout + done.stderr
  assert done.returncode == 0, told[-3000:]
  for name in ('Environment Loop', 'Learner', 'Influence'):
    assert f'[{name}]' in told, told[-3000:]
