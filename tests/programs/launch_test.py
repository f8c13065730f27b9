"""Real Launchpad programs, each launched by a process of its own.

Whatever happens to them, they must end within seconds, with the right exit
code, no process left, and a checkpoint that resumes.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

import own_session
import pytest
import toy

from influence_acme.runs import checkpoint, csv_log

_PROGRAM = pathlib.Path(__file__).with_name('toy_program.py')
_START_SECS = 400  # Many processes that import TensorFlow, on a busy machine.
# Nodes get ten seconds to end in good order; the rest is for a busy machine.
_STOP_SECS = 25
# Steps beyond the budget: actors of nodes count about once a second, and the
# fused trainer after each iteration.
_OVERSHOOT = {
  'threads': 5000,
  'processes': 5000,
  'single': toy.TRAINABLE['batch_size'] * toy.TRAINABLE['unroll_length'],
}


class Run:
  """A toy program that runs in its own session, by which to find orphans."""

  def __init__(self, run_dir, **flags):
    self.path = pathlib.Path(run_dir)
    command = [sys.executable, str(_PROGRAM), f'--run_dir={run_dir}']
    for name, value in flags.items():
      command.append(f'--{name}' if value is True else f'--{name}={value}')
    self.output = self.path.parent / 'output.txt'
    with open(self.output, 'w') as output:
      self.process = subprocess.Popen(
        command, stdout=output, stderr=output, start_new_session=True
      )

  def wait_until_it_learns(self):
    """Waits until every node has done something, and that was saved."""
    deadline = time.monotonic() + _START_SECS
    while time.monotonic() < deadline:
      assert self.process.poll() is None, self.output.read_text()
      if (
        all(
          (self.path / 'logs' / f'{label}.csv').exists()
          and csv_log.read_log(self.path / 'logs' / f'{label}.csv')
          for label in ('actor_0', 'learner')
        )
        and self.counts()
      ):  # Not the checkpoint that a run begins with.
        return
      time.sleep(0.1)
    raise TimeoutError(self.output.read_text())

  def end(self, timeout=_STOP_SECS):
    """Returns the exit code, once there is one and nothing is left over."""
    try:
      code = self.process.wait(timeout)
      time.sleep(0.2)
      assert not self.processes(), self.output.read_text()
      return code
    except subprocess.TimeoutExpired:
      raise TimeoutError(self.output.read_text()) from None
    finally:
      for process in self.processes():
        process.kill()

  def processes(self, name=''):
    """Returns the session's processes, or those of the nodes of one group."""
    argument = name and f'--lp_job_name={name}'
    return own_session.processes(self.process.pid, argument)

  def failure(self):
    return (self.path / 'failure.txt').read_text()

  def counts(self):
    return checkpoint.load(self.path / 'checkpoint').counts

  def hang(self, trigger):
    """Makes a node hang that waits for a trigger."""
    trigger.touch()
    deadline = time.monotonic() + _START_SECS
    while trigger.exists():  # The node takes it away.
      assert self.process.poll() is None, self.output.read_text()
      assert time.monotonic() < deadline, self.output.read_text()
      time.sleep(0.1)

  def interrupt(self):
    """Presses Ctrl-C: a terminal sends it to every process."""
    os.killpg(self.process.pid, signal.SIGINT)


def _check_resumes(run, launch):
  """Checks that a run goes on from its checkpoint; once for each launch."""
  before = run.counts()
  budget = before.get('environment_steps', 0) + 50
  more = Run(run.path, launch=launch, num_steps=budget, resume=True)
  assert more.end(timeout=_START_SECS) == 0, more.output.read_text()
  after = more.counts()
  assert budget <= after['environment_steps'] < budget + _OVERSHOOT[launch]
  assert after['learner_steps'] > before.get('learner_steps', 0)


@pytest.mark.slow
def test_processes_notice_a_killed_actor(tmp_path):
  run = Run(tmp_path / 'run', launch='processes', num_actors=2)
  run.wait_until_it_learns()
  killed = run.processes('actor')[0]
  killed.kill()
  assert run.end() == 1
  summary = run.failure().splitlines()[0]
  assert summary.startswith('actor_')
  assert f'process {killed.pid} was killed by SIGKILL' in summary
  assert 'failure.txt' in run.output.read_text()
  _check_resumes(run, 'processes')


def test_ctrl_c_stops_threads(tmp_path):
  run = Run(tmp_path / 'run', launch='threads', num_actors=2)
  run.wait_until_it_learns()
  run.interrupt()
  assert run.end() == 130
  assert not (run.path / 'failure.txt').exists()
  _check_resumes(run, 'threads')


_ALL = pytest.mark.parametrize('launch', ['threads', 'processes', 'single'])


@pytest.mark.slow
@_ALL
def test_the_budget_ends_all_of_it_and_counts_over_resumes(tmp_path, launch):
  first = Run(tmp_path / 'run', launch=launch, num_actors=2, num_steps=1500)
  assert first.end(timeout=_START_SECS) == 0, first.output.read_text()
  assert not (first.path / 'failure.txt').exists()
  done = first.counts()['environment_steps']
  assert 1500 <= done < 1500 + _OVERSHOOT[launch]
  assert first.counts()['learner_steps'] > 100
  again = Run(tmp_path / 'run', launch=launch, num_steps=done, resume=True)
  assert again.end(timeout=_START_SECS) == 0, again.output.read_text()
  assert again.counts() == first.counts()
  more = Run(
    tmp_path / 'run', launch=launch, num_steps=done + 1000, resume=True
  )
  assert more.end(timeout=_START_SECS) == 0, more.output.read_text()
  assert more.counts()['environment_steps'] >= done + 1000


@pytest.mark.slow
@pytest.mark.parametrize(
  'launch, node, name',
  [
    ('threads', 'learner', 'learner'),
    ('processes', 'learner', 'learner'),
    ('processes', 'actor', 'actor_0'),
    ('single', 'actor', 'single'),
  ],
)
def test_an_exception_in_a_node(tmp_path, launch, node, name):
  trigger = tmp_path / 'trigger'
  run = Run(tmp_path / 'run', launch=launch, **{f'break_{node}_when': trigger})
  run.wait_until_it_learns()
  trigger.touch()
  assert run.end() == 1
  summary, *traceback = run.failure().splitlines()
  assert summary == f'{name} failed: ArithmeticError: the toy broke'
  assert any('Traceback' in line for line in traceback)
  assert run.failure().count(' failed: ') == 1  # Only the one to blame.
  assert summary in run.output.read_text()
  assert run.counts()  # There is a checkpoint to go on from.


@pytest.mark.slow
@pytest.mark.parametrize(
  'launch, number, code',
  [
    ('threads', signal.SIGTERM, 143),
    ('processes', signal.SIGTERM, 143),
    ('single', signal.SIGINT, 130),
  ],
)
def test_a_signal_to_the_launcher(tmp_path, launch, number, code):
  run = Run(tmp_path / 'run', launch=launch)
  run.wait_until_it_learns()
  run.process.send_signal(number)
  assert run.end() == code
  assert not (run.path / 'failure.txt').exists()
  # The toy program has no flags of absl's, so that no command is known.
  assert f'resume the run in {run.path}' in run.output.read_text()
  if launch == 'single':
    _check_resumes(run, launch)
  assert run.counts()


@pytest.mark.slow
@pytest.mark.parametrize(
  'launch, node', [('processes', 'learner'), ('single', 'actor')]
)
def test_a_second_ctrl_c_ends_at_once_and_leaves_a_checkpoint(
  tmp_path, launch, node
):
  trigger = tmp_path / 'trigger'
  run = Run(tmp_path / 'run', launch=launch, **{f'hang_{node}_when': trigger})
  run.wait_until_it_learns()
  run.hang(trigger)  # Now the first one cannot end it in good order.
  run.interrupt()
  time.sleep(1)
  assert run.process.poll() is None
  run.interrupt()
  assert run.end(timeout=8) == 130  # The first one allows ten seconds.
  assert run.counts()


@pytest.mark.slow
@pytest.mark.parametrize('launch', ['threads', 'processes'])
def test_a_hanging_node_cannot_keep_a_program_from_ending(tmp_path, launch):
  trigger = tmp_path / 'trigger'
  run = Run(tmp_path / 'run', launch=launch, hang_learner_when=trigger)
  run.wait_until_it_learns()
  run.hang(trigger)
  time.sleep(2)  # The table is full by now, and the actor waits.
  run.interrupt()
  assert run.end() == 130
  assert 'did not end in time: learner' in run.output.read_text()
  assert run.counts()


@pytest.mark.slow
@pytest.mark.parametrize('name', ['learner', 'replay'])
def test_processes_notice_any_killed_node(tmp_path, name):
  run = Run(tmp_path / 'run', launch='processes')
  run.wait_until_it_learns()
  run.processes(name)[0].kill()
  assert run.end() == 1
  assert run.failure().startswith(f'{name} failed: ')
  assert 'SIGKILL' in run.failure().splitlines()[0]
  assert run.counts()


@pytest.mark.slow
@pytest.mark.parametrize('when', ['at once', 'in mid-run'])
def test_processes_do_not_outlive_a_killed_launcher(tmp_path, when):
  run = Run(tmp_path / 'run', launch='processes')
  if when == 'in mid-run':
    run.wait_until_it_learns()
  else:
    while not run.processes('actor'):
      time.sleep(0.1)
  run.process.kill()
  run.process.wait()
  # At once, they first have to import all they need.
  deadline = time.monotonic() + (_STOP_SECS if when == 'in mid-run' else 200)
  while run.processes():
    assert time.monotonic() < deadline
    time.sleep(0.2)


@pytest.mark.slow
def test_ctrl_c_while_processes_start(tmp_path):
  run = Run(tmp_path / 'run', launch='processes')
  while not run.processes('actor'):
    time.sleep(0.1)
  time.sleep(1)
  run.interrupt()
  assert run.end() == 130
