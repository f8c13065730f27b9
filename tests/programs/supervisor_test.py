import os
import threading

import launchpad as lp
import pytest

from influence_acme.programs import supervisor


class _Node:
  """What a Launchpad node is to its supervision."""

  def __init__(self, function):
    self._function = function

  def run(self):
    self._function()


class _SupervisedNode(supervisor._Supervised, _Node):
  pass


@pytest.fixture
def stop(monkeypatch):
  event = threading.Event()
  monkeypatch.setattr(lp, 'stop_event', lambda: event)
  return event


def _fail():
  raise ArithmeticError('broken\nin two lines')


def test_an_exception_is_written_down(tmp_path, stop):
  path = tmp_path / 'failure.txt'
  _SupervisedNode('actor_1', path, _fail).run()
  summary, empty, *traceback = path.read_text().splitlines()
  assert summary == 'actor_1 failed: ArithmeticError: broken'
  assert not empty
  assert traceback[0].startswith('Traceback')
  assert 'in _fail' in path.read_text()


def test_even_an_exit_is(tmp_path, stop):
  path = tmp_path / 'failure.txt'
  _SupervisedNode('actor_1', path, lambda: exit(0)).run()
  assert path.read_text().startswith('actor_1 failed: SystemExit: 0')


def test_the_second_failure_comes_after_the_first(tmp_path, stop):
  path = tmp_path / 'failure.txt'
  for name in ('learner', 'actor_0'):
    _SupervisedNode(name, path, _fail).run()
  text = path.read_text()
  assert text.startswith('learner failed')
  assert '\nactor_0 failed' in text


@pytest.mark.parametrize('stopped_after', [0.0, 0.3])
def test_no_node_is_blamed_for_the_end_of_others(tmp_path, stop, stopped_after):
  threading.Timer(stopped_after, stop.set).start()
  path = tmp_path / 'failure.txt'
  _SupervisedNode('actor_1', path, _fail).run()
  assert not path.exists()


def test_a_good_end_is_no_failure(tmp_path, stop):
  path = tmp_path / 'failure.txt'
  _SupervisedNode('actor_1', path, lambda: None).run()
  assert not path.exists()


def test_what_cannot_be_written_is_printed(tmp_path, stop, capsys):
  path = tmp_path / 'missing' / 'failure.txt'
  _SupervisedNode('actor_1', path, _fail).run()
  assert 'actor_1 failed: ArithmeticError: broken' in capsys.readouterr().err


@pytest.mark.parametrize('function, code', [(lambda: None, 0), (_fail, 1)])
def test_a_process_of_its_own_is_ended(
  tmp_path, stop, monkeypatch, function, code
):
  """With its exit code, and whatever threads are still at work."""
  codes: list[int] = []
  monkeypatch.setattr(os, '_exit', codes.append)
  monkeypatch.setattr(supervisor, '_follow_launcher', lambda *_: None)
  node = _SupervisedNode('actor_1', tmp_path / 'failure.txt', function)
  monkeypatch.setattr(os, 'getpid', lambda: node._launcher + 1)
  node.run()
  assert codes == [code]


def test_a_thread_does_not_end_the_process(tmp_path, stop, monkeypatch):
  monkeypatch.setattr(os, '_exit', lambda code: pytest.fail('It ended.'))
  for function in (lambda: None, _fail):
    _SupervisedNode('actor_1', tmp_path / 'failure.txt', function).run()
