"""Tests of the run directory."""

import dataclasses
import json
import pathlib
import pickle

import numpy as np
import pytest

from influence_acme.runs import lock, run_dir


@dataclasses.dataclass(frozen=True)
class Config:
  rate: float = 0.1
  sizes: tuple[int, ...] = (1, 2)


def start(path, config=None):
  """Starts a run as a program does, up to its first checkpoint."""
  run = run_dir.RunDirectory(path)
  run.prepare()
  run.write_config(config or {'seed': 1})
  run.checkpoint_path.write_bytes(b'...')
  return run


def record(run):
  return json.loads(run.config_path.read_text())


def test_naming_a_directory_touches_nothing(tmp_path):
  run = run_dir.RunDirectory(tmp_path / 'run')
  assert run.path == tmp_path / 'run'
  assert not run.path.exists()
  assert pickle.loads(pickle.dumps(run)) == run


def test_paths_are_absolute(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv('HOME', '/home/someone')
  assert run_dir.RunDirectory('runs/a').path == tmp_path / 'runs' / 'a'
  home = run_dir.RunDirectory('~/a')
  assert home.path == pathlib.Path('/home/someone/a')


def test_everything_lies_in_the_directory(tmp_path):
  run = run_dir.RunDirectory(tmp_path)
  paths = [
    run.config_path,
    run.checkpoint_path,
    run.failure_path,
    run.logs,
    run.curves_path,
    run.video_path,
    run.influence_matrix_path,
  ]
  assert len(set(paths)) == len(paths)
  assert all(path.parent == tmp_path for path in paths)


def test_prepare_makes_the_directory(tmp_path):
  run = run_dir.RunDirectory(tmp_path / 'a' / 'b')
  run.prepare()
  assert list(run.path.iterdir()) == [run.logs]
  run.prepare()  # Nothing has been run there yet.


def test_a_run_is_not_overwritten(tmp_path):
  run = start(tmp_path)
  with pytest.raises(FileExistsError, match='holds a run already.*--resume'):
    run.prepare()


def test_resume(tmp_path):
  run = start(tmp_path)
  run.failure_path.write_text('Traceback ...')
  run.prepare(resume=True)
  assert not run.failure_path.exists()
  assert run.checkpoint_path.exists()


def test_resume_of_nothing(tmp_path):
  run = run_dir.RunDirectory(tmp_path / 'missing')
  with pytest.raises(FileNotFoundError, match='holds no run.*without --resume'):
    run.prepare(resume=True)
  assert not run.path.exists()


@pytest.mark.parametrize('resume', [False, True])
def test_a_run_that_ended_before_its_first_checkpoint_starts_anew(
  tmp_path, resume
):
  run = start(tmp_path)
  run.checkpoint_path.unlink()
  (run.logs / 'learner.csv').write_text('environment_steps\n')
  run.prepare(resume=resume)
  assert not run.config_path.exists()
  run.write_config({'seed': 2})
  assert record(run)['config'] == {'seed': 2}
  assert record(run)['resumed'] == []


@pytest.mark.parametrize('resume', [False, True])
def test_a_run_that_lost_its_checkpoint_does_not_start_anew(tmp_path, resume):
  run = start(tmp_path)
  run.checkpoint_path.unlink()
  (run.logs / 'learner.csv').write_text('environment_steps\n10\n')
  with pytest.raises(OSError, match='holds a run already|has no checkpoint'):
    run.prepare(resume=resume)
  assert run.config_path.exists()


def test_an_export_is_not_overwritten(tmp_path):
  run = start(tmp_path)
  run.checkpoint_path.unlink()
  run.logs.rmdir()
  with pytest.raises(FileExistsError, match='holds a run already'):
    run.prepare()


@pytest.mark.parametrize(
  'content',
  [b'\x80\xff\x00', b'environment_steps\n\x00\n', b'name,age\nann,3\n'],
)
def test_a_file_that_is_no_log_is_moved_aside_and_that_is_said(
  tmp_path, capsys, content
):
  run = start(tmp_path)
  path = run.logs / 'learner.csv'
  path.write_bytes(content)
  run.prepare(resume=True)
  aside = run.logs / 'learner.csv.not_a_log'
  assert not path.exists() and aside.read_bytes() == content
  assert f'{path} is no log of a run: it is now {aside}' in (
    capsys.readouterr().err
  )


def test_logs_stay(tmp_path, capsys):
  run = start(tmp_path)
  contents = {'a.csv': '', 'b.csv': 'environment_steps,x\n1,2\n3,'}
  for name, text in contents.items():
    (run.logs / name).write_text(text)
  run.prepare(resume=True)
  found = {path.name: path.read_text() for path in run.logs.glob('*')}
  assert found == contents
  assert capsys.readouterr().err == ''


@pytest.mark.parametrize('path', ['file', 'file/below', '/proc/run'])
def test_a_directory_that_cannot_be_made(tmp_path, path):
  (tmp_path / 'file').touch()
  run = run_dir.RunDirectory(tmp_path / path)
  with pytest.raises(PermissionError, match='Cannot write.*--run_dir'):
    run.prepare()
  with (
    pytest.raises(PermissionError, match='Cannot write.*--run_dir'),
    run.hold(),
  ):
    pass


def test_a_directory_that_cannot_be_written(tmp_path, monkeypatch):
  def read_only(*_):
    raise OSError(30, 'Read-only file system')

  monkeypatch.setattr(lock, 'acquire', read_only)
  run = run_dir.RunDirectory(tmp_path)
  with (
    pytest.raises(PermissionError, match='Cannot write.*Read-only'),
    run.hold(),
  ):
    pass


def test_config_holds_all_that_a_run_depends_on(tmp_path):
  run = start(
    tmp_path,
    {
      'seed': 3,
      'agent': Config(),
      'weights': np.array([0.5, 1.0]),
      'count': np.int64(4),
      'path': tmp_path,
      'function': test_resume,
    },
  )
  written = record(run)
  config = written['config']
  assert 'test_resume' in config.pop('function')
  assert config == {
    'seed': 3,
    'agent': {'rate': 0.1, 'sizes': [1, 2]},
    'weights': [0.5, 1.0],
    'count': 4,
    'path': str(tmp_path),
  }
  assert written['resumed'] == []
  assert written['python'].startswith('3.')
  assert written['versions']['dm-acme'] == '0.4.0'
  assert all(written['versions'].values())
  assert list(tmp_path.glob('config*')) == [run.config_path]


def test_a_resumed_run_is_written_down_with_what_has_changed(tmp_path):
  run = start(tmp_path, {'seed': 3, 'num_steps': 10, 'agent': Config()})
  first = record(run)
  run.prepare(resume=True)
  run.write_config({'seed': 3, 'num_steps': 20, 'agent': Config()})
  run.write_config({'seed': 3, 'num_steps': 20, 'agent': Config(), 'new': 1})
  written = record(run)
  second, third = written.pop('resumed')
  assert written == {k: v for k, v in first.items() if k != 'resumed'}
  assert second['config']['num_steps'] == 20
  assert second['changed'] == {'num_steps': [10, 20]}
  assert third['changed'] == {'new': [None, 1]}


def test_its_loggers_write_into_it(tmp_path):
  run = run_dir.RunDirectory(tmp_path)
  run.prepare()
  logger = run.make_logger('learner')
  logger.write({'environment_steps': 5, 'loss': 1.0})
  logger.close()
  text = (run.logs / 'learner.csv').read_text()
  assert text == 'environment_steps,loss\n5,1.0\n'
