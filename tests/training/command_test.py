"""The command, in a process of its own."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tiny

from influence_acme import train

_ROOT = pathlib.Path(__file__).parent.parent.parent
# As `python -m` runs it; at the end it tells what was imported. TensorFlow is
# not among the names: TensorFlow Probability, which rlax needs, loads it where
# it is installed. On today's Python, where it is not, the same run shows that
# nothing else needs it.
_TELL_IMPORTS = """
import atexit, runpy, sys
heavy = ('acme', 'reverb', 'launchpad')
found = lambda: [x for x in heavy if x in sys.modules]
atexit.register(lambda: print('imported', found()))
sys.argv[0] = 'influence_acme.train'
runpy.run_module('influence_acme.train', run_name='__main__', alter_sys=True)
"""

_TELL_HEAVY = """
import sys
from influence_acme import evaluate, train
for main in (train.main, evaluate.main):
  try:
    main(['--help'])
  except SystemExit:
    pass
print([x for x in ('jax', 'haiku', 'dm_env') if x in sys.modules])
"""


def _start(start, path, *options):
  return subprocess.Popen(
    [
      sys.executable,
      *start,
      '--game=coordination',
      '--variant=moa',
      '--hidden_size=8',
      '--unroll_length=16',
      '--batch_size=8',
      '--max_queue_size=8',
      f'--run_dir={path}',
      *options,
    ],
    env={**os.environ, 'PYTHONPATH': str(_ROOT), 'JAX_PLATFORMS': 'cpu'},
    cwd=_ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


@pytest.mark.slow
def test_a_whole_run_needs_no_acme(tmp_path):
  process = _start(
    ['-c', _TELL_IMPORTS],
    tmp_path / 'run',
    '--num_steps=3000',
  )
  output, _ = process.communicate(timeout=300)
  assert process.returncode == 0, output
  assert output.splitlines()[-1] == 'imported []'
  assert 'steps 3,' in output
  counts = tiny.load(tmp_path / 'run').counts
  assert 3000 <= counts['environment_steps'] < 3200


@pytest.mark.slow
@pytest.mark.parametrize(
  'number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_it_in_good_order_and_it_can_be_resumed(
  tmp_path, number, code
):
  path = tmp_path / 'run'
  module = ['-m', 'influence_acme.train']
  process = _start(module, path, '--num_steps=100000000')
  log = path / 'logs' / 'learner.csv'
  deadline = time.monotonic() + 240
  while not (log.exists() and log.read_text().count('\n') > 2):
    assert process.poll() is None and time.monotonic() < deadline
    time.sleep(0.1)
  process.send_signal(number)
  output, _ = process.communicate(timeout=60)
  assert process.returncode == code, output
  assert f'--resume --run_dir={path}' in output
  assert not (path / 'failure.txt').exists()

  steps = tiny.load(path).counts['environment_steps']
  assert steps > 0
  process = _start(module, path, '--resume', f'--num_steps={steps + 500}')
  output, _ = process.communicate(timeout=240)
  assert process.returncode == 0, output
  assert tiny.load(path).counts['environment_steps'] >= steps + 500


def test_options_are_read_without_loading_jax():
  told = subprocess.run(
    [sys.executable, '-c', _TELL_HEAVY],
    env={**os.environ, 'PYTHONPATH': str(_ROOT)},
    capture_output=True,
    text=True,
    timeout=100,
  ).stdout.splitlines()
  assert told[0].startswith('usage: python -m influence_acme.train')
  assert told[-1] == '[]'


@pytest.mark.parametrize(
  'option, message',
  [
    ('--variant=zzz', "Error parsing Preset: variant is 'zzz'"),
    ('--num_steps=0', 'num_steps is 0'),
    ('--game=chess', "game is 'chess'"),
    ('--batch_size=7', 'ppo.num_minibatches is 4: it must divide'),
    ('--resume', 'holds no run'),
  ],
)
def test_what_is_wrong_is_told_in_a_line(tmp_path, option, message, capsys):
  path = tmp_path / 'run'
  code: str | int | None
  try:
    code = train.main(['--game=coordination', f'--run_dir={path}', option])
  except SystemExit as error:  # Raised where an option cannot be parsed.
    code = error.code
  assert code == 2
  assert message in capsys.readouterr().err
  assert not path.exists()
