"""Tests of what is said when a run ends."""

import shlex
import sys
import types
from importlib import machinery

import pytest
from absl import flags

from influence_acme.runs import failures, outcome, run_dir


@pytest.fixture(name='run')
def _run(tmp_path):
  return run_dir.RunDirectory(tmp_path)


@pytest.fixture(name='without_flags', autouse=True)
def _without_flags(monkeypatch):
  monkeypatch.setattr(flags, 'FLAGS', flags.FlagValues())
  monkeypatch.setitem(sys.modules, '__main__', types.ModuleType('__main__'))


@pytest.fixture(name='with_flags')
def _with_flags(without_flags, monkeypatch):
  values = flags.FlagValues()
  flags.DEFINE_string('run_dir', '', 'Of a run.', flag_values=values)
  flags.DEFINE_boolean('resume', False, 'Go on.', flag_values=values)
  monkeypatch.setattr(flags, 'FLAGS', values)

  def start(command):
    monkeypatch.setattr(sys, 'orig_argv', shlex.split(command))

  return start


def test_a_run_that_is_done_says_nothing(run, capsys):
  # A signal in the last step makes no difference.
  assert outcome.conclude(run, is_done=True, signal_number=2) == 0
  assert capsys.readouterr().err == ''


@pytest.mark.parametrize('number, code', [(2, 130), (15, 143)])
def test_a_run_that_was_stopped(run, capsys, number, code):
  assert outcome.conclude(run, is_done=False, signal_number=number) == code
  told = capsys.readouterr().err
  assert told == f'Stopped: resume the run in {run.path}\n'
  assert not run.failure_path.exists()


def test_a_run_that_failed(run, capsys):
  failures.report_failure(run.failure_path, 'learner', 'too bad', 'Traceback')
  assert outcome.conclude(run, is_done=True, signal_number=2) == 1
  first, second = capsys.readouterr().err.splitlines()
  assert first == 'learner failed: too bad'
  assert str(run.failure_path) in second
  assert f'resume the run in {run.path}' in second


def test_a_run_that_ended_for_no_known_reason(run, capsys):
  assert outcome.conclude(run, is_done=False, signal_number=0) == 1
  told = capsys.readouterr().err
  assert 'run failed: it ended, but its step budget is not reached.' in told
  assert run.failure_path.exists()


def test_what_cannot_be_written_is_printed(tmp_path, capsys):
  run = run_dir.RunDirectory(tmp_path / 'missing')
  assert outcome.conclude(run, is_done=False, signal_number=0) == 1
  assert 'its step budget is not reached' in capsys.readouterr().err


@pytest.mark.parametrize(
  'started',
  [
    'python train.py --seed=3',
    'python train.py --run_dir=/elsewhere --seed=3',
    'python train.py --run_dir /elsewhere --seed=3',
    'python train.py --resume --run-dir=/elsewhere --seed=3',
  ],
)
def test_the_command_that_goes_on(run, capsys, with_flags, started):
  with_flags(started)
  outcome.conclude(run, is_done=False, signal_number=2)
  *_, command = capsys.readouterr().err.splitlines()
  assert command == (
    f'  python train.py --seed=3 --resume --run_dir={run.path}'
  )


def test_the_command_is_one_for_a_shell(with_flags):
  with_flags("python -m train '--name=a b'")
  run = run_dir.RunDirectory('/runs/of mine')
  assert shlex.split(outcome.resume_command(run)) == [
    *['python', '-m', 'train', '--name=a b'],
    *['--resume', '--run_dir=/runs/of mine'],
  ]


def test_a_program_without_the_flags_is_told_no_command(run):
  assert outcome.resume_command(run) == ''


def test_our_own_command_has_the_flags(run, monkeypatch):
  main = types.ModuleType('__main__')
  main.__spec__ = machinery.ModuleSpec('influence_acme.train', None)
  monkeypatch.setitem(sys.modules, '__main__', main)
  command = ['python', '-m', 'influence_acme.train']
  monkeypatch.setattr(sys, 'orig_argv', command)
  told = outcome.resume_command(run)
  assert told.split() == [*command, '--resume', f'--run_dir={run.path}']


def test_so_has_our_own_script(run, monkeypatch):
  script = '/usr/local/bin/influence-train'
  command = ['/usr/bin/python', script, '--game=harvest', '--batch_size=8']
  monkeypatch.setattr(sys, 'argv', command[1:])
  monkeypatch.setattr(sys, 'orig_argv', command)
  told = outcome.resume_command(run)
  assert told.split() == [*command, '--resume', f'--run_dir={run.path}']
