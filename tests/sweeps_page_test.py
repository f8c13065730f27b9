"""What the page on sweeps prints, run with two tiny runs each."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

optuna = pytest.importorskip(
  'optuna', reason="It is installed for today's JAX."
)

ROOT = pathlib.Path(__file__).parents[1]
PAGE = (ROOT / 'docs/howto/sweeps.md').read_text('utf-8')
_TINY = (
  '--variant=baseline --seeds=0,1 --num_steps=100 --num_agents=2 '
  '--episode_length=20'
)
# For a machine that lacks them: they start what they are given.
_STAND_INS = {
  'srun': 'exec "$@"',
  'parallel': 'while read -r line; do sh -c "$line" || exit; done',
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _block(language, word):
  """Returns the block of the page that has a word."""
  blocks = re.findall(rf'^```{language}\n(.*?)^```', PAGE, re.DOTALL | re.M)
  (found,) = [block for block in blocks if word in block]
  return found


@pytest.fixture
def shell(tmp_path):
  """Returns a function that runs a script in an empty folder."""
  tools = tmp_path / 'tools'
  tools.mkdir()
  for name, script in _STAND_INS.items():
    if not shutil.which(name):
      (tools / name).write_text(f'#!/bin/sh\n{script}\n')
      (tools / name).chmod(0o755)
  python = pathlib.Path(sys.executable).parent
  (tmp_path / 'examples').symlink_to(ROOT / 'examples')

  def run(script, **variables):
    done = subprocess.run(
      ['sh', '-c', script],
      cwd=tmp_path,
      env={
        **os.environ,
        'PATH': f'{python}:{tools}:{os.environ["PATH"]}',
        'PYTHONPATH': str(ROOT),
        **variables,
      },
      capture_output=True,
      text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

  return run


def _runs(directory):
  """Returns the seeds of the runs that were made."""
  paths = pathlib.Path(directory).glob('*/*/seed_*/checkpoint')
  return sorted(path.parent.name for path in paths)


def test_the_array_of_slurm(shell, tmp_path):
  script = _block('sh', '#SBATCH --array')
  script = script.replace('--shard=', f'{_TINY} --shard=').replace('/4', '/2')
  for task, expected in enumerate([['seed_0'], ['seed_0', 'seed_1']]):
    shell(script, SLURM_ARRAY_TASK_ID=str(task), SLURM_SUBMIT_DIR=str(tmp_path))
    assert _runs(tmp_path / 'runs') == expected


def test_a_command_for_each_run(shell, tmp_path):
  script = _block('sh', 'parallel').replace('--list', f'{_TINY} --list')
  shell(script)
  (sweep,) = (tmp_path / 'runs' / 'reproduce').iterdir()
  assert _runs(sweep) == ['seed_0', 'seed_1']


def test_optuna(shell, tmp_path):
  code = _block('python', 'optuna')
  code = code.replace('= 20, 500_000', '= 2, 100').replace(
    "    '--game=", "    '--batch-size=4',\n    '--game="
  )
  (tmp_path / 'tune.py').write_text(code)
  said = shell('python tune.py')
  assert "'learning_rate'" in said.splitlines()[-1]
  study = optuna.load_study(
    study_name='prosocial', storage=f'sqlite:///{tmp_path}/tuning.db'
  )
  assert len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE])) == 2
  assert (tmp_path / 'runs' / 'tuning' / '1' / 'checkpoint').exists()
