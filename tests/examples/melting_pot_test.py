"""Training in Melting Pot's substrates, as a user starts it."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from influence_acme.programs import checkpoint

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'melting_pot.py'


@pytest.mark.slow
@pytest.mark.parametrize('substrate', ['clean_up', 'commons_harvest__open'])
def test_it_trains_and_tells(substrate, tmp_path):
  arguments = [f'--substrate={substrate}', '--num_agents=2']
  done = subprocess.run(
    [sys.executable, EXAMPLE, *arguments, '--num_steps=3000'],
    capture_output=True,
    text=True,
    timeout=500,
    env={**os.environ, 'TMPDIR': str(tmp_path)},
  )
  assert done.returncode == 0, done.stderr[-3000:]
  assert re.search(r'Episode 0, 1\d\d\d steps: collective', done.stdout)
  (run_dir,) = tmp_path.glob('melting_pot_*')
  counts = checkpoint.load(run_dir / 'checkpoint').counts
  assert counts['environment_steps'] >= 3_000
