"""A program on three hosts: network namespaces, so that they must use TCP."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import namespaces
import own_session
import pytest

from influence_acme.runs import checkpoint, csv_log

_PROGRAM = pathlib.Path(__file__).with_name('toy_program.py')
_START_SECS = 300
_END_SECS = 30
_HOSTS = f"""
[one]
address = "{namespaces.ADDRESS.format(1)}"
nodes = ["replay", "learner"]
ports = {{replay = 7000, learner = 7001}}

[two]
nodes = ["actor_0"]

[three]
nodes = ["actor_1"]
"""
_NAMES = ('one', 'two', 'three')


class _Hosts:
  """Three hosts, and the processes on them by host."""

  def __init__(self, path, enter):
    self.run_dir = path / 'run'
    self._path = path
    self._enter = dict(zip(_NAMES, enter, strict=True))
    (path / 'hosts.toml').write_text(_HOSTS)
    self._processes = {}

  def start(self, *names, launch='threads', **flags):
    for name in names:
      given = {
        **{'host': name, 'hosts': self._path / 'hosts.toml', 'launch': launch},
        **{'run_dir': self.run_dir, 'num_actors': 2, **flags},
      }
      with open(self._path / f'{name}.txt', 'a') as output:
        self._processes[name] = subprocess.Popen(
          [*self._enter[name], sys.executable, str(_PROGRAM)]
          + [f'--{key}={value}' for key, value in given.items() if value != '']
          + ['--resume'] * (self.run_dir / 'checkpoint').exists(),
          stdout=output,
          stderr=output,
          start_new_session=True,
        )

  def kill(self, name):
    """Kills all that runs on a host, as a loss of power would."""
    os.killpg(self._processes[name].pid, signal.SIGKILL)
    self._processes.pop(name).wait()

  def end(self, timeout):
    """Returns the exit codes of all hosts, when all have ended."""
    deadline = time.monotonic() + timeout
    codes = {}
    for name, process in self._processes.items():
      try:
        codes[name] = process.wait(max(deadline - time.monotonic(), 0.1))
      except subprocess.TimeoutExpired:
        raise TimeoutError(self.output(name)) from None
    time.sleep(0.2)
    for process in self._processes.values():
      assert not own_session.processes(process.pid)
    return codes

  def stop(self):
    for process in self._processes.values():
      with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

  def output(self, name):
    return (self._path / f'{name}.txt').read_text()

  def log(self):
    path = self.run_dir / 'hosts.log'
    return path.read_text() if path.exists() else ''

  def steps(self, actor):
    path = self.run_dir / 'logs' / f'{actor}.csv'
    log = csv_log.read_log(path) if path.exists() else {}
    return log['environment_steps'][-1] if log else 0

  def wait(self, condition):
    deadline = time.monotonic() + _START_SECS
    while not condition():
      assert time.monotonic() < deadline, self.output('one')
      for name, process in self._processes.items():
        assert process.poll() is None, self.output(name)
      time.sleep(0.2)


@pytest.fixture
def hosts(tmp_path):
  with namespaces.make(len(_NAMES)) as enter:
    made = _Hosts(tmp_path, enter)
    yield made
    made.stop()


@pytest.mark.slow
def test_hosts_come_and_go(hosts):
  hosts.start(*_NAMES)
  hosts.wait(lambda: hosts.steps('actor_0') and hosts.steps('actor_1'))

  hosts.kill('two')
  hosts.start('two')  # At once, though it is not missed yet.
  hosts.wait(lambda: "Host 'two' is lost: nothing was heard" in hosts.log())
  lost = hosts.steps('actor_1')
  hosts.wait(lambda: "Host 'two' is back: process" in hosts.log())
  hosts.wait(lambda: min(map(hosts.steps, ('actor_0', 'actor_1'))) > lost)

  hosts.kill('one')
  assert hosts.end(_END_SECS) == {'two': 1, 'three': 1}
  for name in ('two', 'three'):
    failure = (hosts.run_dir / f'failure.{name}.txt').read_text()
    assert failure.startswith(
      f'host {name} failed: the learner does not answer'
    )

  before = checkpoint.load(hosts.run_dir / 'checkpoint').counts
  budget = before['environment_steps'] + 1000
  hosts.start(*_NAMES, num_steps=budget)
  assert hosts.end(_START_SECS) == dict.fromkeys(_NAMES, 0)
  after = checkpoint.load(hosts.run_dir / 'checkpoint').counts
  assert after['environment_steps'] >= budget
  assert after['learner_steps'] > before['learner_steps']
  assert not list(hosts.run_dir.glob('failure*'))
