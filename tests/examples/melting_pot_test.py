"""Training in Melting Pot's substrates, as a user starts it."""

import os
import pathlib
import subprocess
import sys

import pytest

from influence_acme.runs import checkpoint

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'melting_pot.py'


@pytest.mark.slow
@pytest.mark.parametrize('substrate', ['clean_up', 'commons_harvest__open'])
def test_it_trains_and_tells(substrate, tmp_path):
  arguments = [f'--substrate={substrate}', '--num_agents=2']
  done = subprocess.run(
    [sys.executable, EXAMPLE, *arguments, '--num_steps=1500'],
    capture_output=True,
    text=True,
    timeout=500,
    env={**os.environ, 'TMPDIR': str(tmp_path)},
  )
  assert done.returncode == 0, done.stderr[-3000:]
  (run_dir,) = tmp_path.glob('melting_pot_*')
  counts = checkpoint.load(run_dir / 'checkpoint').counts
  assert counts['environment_steps'] >= 1_500
