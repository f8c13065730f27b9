"""The two ends of the roll call: the learner's, and that of another host."""

import json

import pytest

from influence_acme.programs import actor_host, roll_call
from influence_acme.runs import run_dir

_SETTINGS = {'seed': 0, 'run_dir': 'run', 'launch': 'threads'}


class _Clock:
  def __init__(self):
    self.now = 1000.0

  def __call__(self):
    return self.now


@pytest.fixture
def clock():
  return _Clock()


@pytest.fixture
def directory(tmp_path):
  directory = run_dir.RunDirectory(tmp_path)
  directory.write_config(_SETTINGS)
  return directory


@pytest.fixture
def roll(directory, clock):
  return roll_call.RollCall(directory, clock)


def _attend(roll, host='two', process='process 1', **changes):
  return roll.attend(host, process, json.dumps({**_SETTINGS, **changes}))


def _log(directory):
  lines = directory.hosts_path.read_text().splitlines()
  return [line.partition(' Host ')[2] for line in lines]


def test_a_host_is_missed_once_and_named(roll, clock, directory, capfd):
  assert _attend(roll) == roll_call.Reply('runs')
  clock.now += roll_call.LOST_SECS
  roll.check()
  assert _log(directory) == ["'two' takes part: process 1."]
  clock.now += 0.1
  roll.check()
  roll.check()
  took_part, lost = _log(directory)
  assert lost.startswith("'two' is lost: nothing was heard of process 1 for 8")
  assert 'The run goes on without it' in lost
  assert lost in capfd.readouterr().err


def test_a_host_that_was_silent_is_back(roll, clock, directory):
  _attend(roll)
  clock.now += 20
  roll.check()
  assert _attend(roll).state == 'runs'
  assert _log(directory)[-1] == "'two' is back: it was only silent."


def test_another_process_takes_the_place_of_a_lost_one(roll, clock, directory):
  _attend(roll)
  assert _attend(roll, process='process 2') == roll_call.Reply(
    'taken', "process 1 is host 'two' already"
  )
  clock.now += roll_call.LOST_SECS + 1
  roll.check()
  assert _attend(roll, process='process 2').state == 'runs'
  assert _log(directory)[-1] == "'two' is back: process 2."
  assert _attend(roll, process='process 1').state == 'taken'


def test_a_host_says_why_it_ends(roll, directory):
  _attend(roll)
  roll.leave('two', 'process 2', 'a stranger')
  roll.leave('two', 'process 1', 'actor_0 failed: no memory')
  assert _log(directory)[1:] == [
    "'two' has ended: actor_0 failed: no memory. The run goes on without it."
  ]
  assert _attend(roll, process='process 2').state == 'runs'


@pytest.mark.parametrize('name, value', [('seed', 1), ('run_dir', 'other')])
def test_another_command_is_refused(roll, directory, name, value):
  reply = _attend(roll, **{name: value})
  assert reply.state == 'over'
  assert f'its {name} is {value!r}, not {_SETTINGS[name]!r}' in reply.reason
  assert 'is refused' in _log(directory)[0]
  assert _attend(roll).state == 'runs'


def test_how_a_command_was_given_may_differ(roll):
  assert _attend(roll, resume=True, allow_changes=['seed']).state == 'runs'


def test_the_end_is_told(roll, clock, monkeypatch):
  _attend(roll, 'two')
  _attend(roll, 'three')
  told = []

  def sleep(_):  # Meanwhile one host calls, the other one is gone.
    clock.now += 0.1
    told.append(_attend(roll, 'two').state)

  monkeypatch.setattr(roll_call.time, 'sleep', sleep)
  roll.end(roll_call.Reply('done'))
  assert set(told) == {'done'}
  assert 1004 <= clock.now < 1004.2
  roll.end(roll_call.Reply('done'))
  assert _attend(roll, 'three').state == 'done'


def test_nobody_is_waited_for_in_vain(roll, clock):
  roll.end(roll_call.Reply('done'))
  assert clock.now == 1000


class _Learner:
  """What a client of the learner node is to a host."""

  def __init__(self, reply=None):
    self.reply = reply

  def attend(self, host, process, settings):
    if self.reply is None:
      raise ConnectionError('connection refused')
    return self.reply


@pytest.fixture
def attendance(clock):
  return actor_host.Attendance(_Learner(), 'two', _SETTINGS, clock=clock)


def test_a_learner_may_take_its_time_to_start(attendance, clock):
  clock.now += 899
  attendance.attend()
  assert not attendance.is_over
  attendance._learner.reply = ('runs', '')
  attendance.attend()
  assert attendance.has_joined
  assert not attendance.is_over


def test_nobody_calls_a_learner_that_is_not_up(clock):
  def probe():
    raise ConnectionRefusedError('refused')

  learner = _Learner(('runs', ''))
  attendance = actor_host.Attendance(learner, 'two', {}, probe, clock)
  attendance.attend()
  assert not attendance.has_joined


def test_a_learner_that_never_starts(attendance, clock):
  clock.now += 901
  attendance.attend()
  assert attendance.failure == (
    'the learner does not answer for 901 s: connection refused'
  )


def test_a_learner_that_is_gone(attendance, clock):
  attendance._learner.reply = ('runs', '')
  attendance.attend()
  attendance._learner.reply = None
  clock.now += roll_call.LOST_SECS
  attendance.attend()
  assert not attendance.is_over
  clock.now += 1
  attendance.attend()
  assert attendance.failure.startswith('the learner does not answer for 9 s')
  assert not attendance.is_done


@pytest.mark.parametrize(
  'reply, is_done, failure',
  [
    (('done', ''), True, ''),
    (('over', 'the learner has ended'), False, 'the learner has ended'),
    (('taken', 'process 2 is it'), False, 'process 2 is it'),
  ],
)
def test_the_learner_ends_a_host(attendance, reply, is_done, failure):
  attendance._learner.reply = ('runs', '')
  attendance.attend()
  attendance._learner.reply = reply
  attendance.attend()
  assert attendance.is_over
  assert attendance.is_done == is_done
  assert attendance.failure == failure


def test_a_host_waits_for_the_place_of_one_that_was_killed(attendance, clock):
  clock.now += 500  # That the learner took to start.
  attendance._learner.reply = ('taken', 'process 2 is it')
  for _ in range(2):
    attendance.attend()
    clock.now += roll_call.LOST_SECS + 1
  assert not attendance.is_over
  attendance.attend()
  assert attendance.failure == 'process 2 is it'
