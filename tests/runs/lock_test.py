"""Tests of the lock of a run's directory, with real processes."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from influence_acme.runs import lock

_HOLD = """
import pathlib, sys, time
from influence_acme.runs import lock
held = lock.acquire(pathlib.Path(sys.argv[1]))
print('held', flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
  return tmp_path / 'lock'


def test_it_names_its_owner_and_is_gone_afterwards(path):
  held = lock.acquire(path)
  owner = json.loads(path.read_text())
  assert owner == {'pid': os.getpid(), 'host': socket.gethostname()}
  lock.release(held)
  assert not path.exists()
  lock.release(lock.acquire(path))


def test_a_running_owner_keeps_it_and_a_killed_one_does_not(path):
  with subprocess.Popen(
    [sys.executable, '-c', _HOLD, str(path)], stdout=subprocess.PIPE
  ) as process:
    assert process.stdout is not None
    assert process.stdout.readline() == b'held\n'
    with pytest.raises(
      lock.InUseError, match=f'is in use by process {process.pid} on '
    ):
      lock.acquire(path)
    process.send_signal(signal.SIGKILL)
  assert path.exists()
  lock.release(lock.acquire(path))


def test_an_owner_on_another_host_is_not_taken_for_dead(path):
  path.write_text(json.dumps({'pid': os.getpid(), 'host': 'elsewhere'}))
  with pytest.raises(lock.InUseError, match=f'elsewhere, .*remove {path}'):
    lock.acquire(path)


@pytest.mark.parametrize('content', [b'', b'\xff', b'[]', b'{"host": '])
def test_a_torn_file_is_no_owner(path, content):
  path.write_bytes(content)
  lock.release(lock.acquire(path))


@pytest.mark.parametrize(
  'pid, is_free',
  [(os.getpid(), False), (2**22, True)],
  ids=['alive', 'ended'],
)
def test_without_locks_of_the_file_system_the_process_decides(
  path, monkeypatch, pid, is_free
):
  def unsupported(*_):
    raise OSError(95, 'Operation not supported')

  monkeypatch.setattr(fcntl, 'flock', unsupported)
  path.write_text(json.dumps({'pid': pid, 'host': socket.gethostname()}))
  if is_free:
    lock.release(lock.acquire(path))
  else:
    with pytest.raises(lock.InUseError, match=f'process {pid}'):
      lock.acquire(path)


def test_one_that_is_released_meanwhile_is_taken_anew(path, monkeypatch):
  held = lock.acquire(path)
  flock = fcntl.flock
  times: list[float] = []

  def release_first(file, how):
    if not times:
      times.append(time.time())
      lock.release(held)
    flock(file, how)

  monkeypatch.setattr(fcntl, 'flock', release_first)
  second = lock.acquire(path)
  assert os.path.samestat(os.fstat(second.fileno()), os.stat(path))
  lock.release(second)
