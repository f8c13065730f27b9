"""Tests of the loggers of a run."""

import csv
import threading

import acme
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
from acme import core
from tensorboardX import event_file_writer

from influence_acme.runs import csv_log, loggers
from influence_acme.testing import fakes

STEPS = 'environment_steps'


def rows(path):
  with open(path, newline='') as file:
    return list(csv.DictReader(file))


def events(directory):
  """Returns (tag, step, value) of everything that TensorBoard would show."""
  (path,) = directory.iterdir()
  return [
    (value.tag, event.step, value.simple_value)
    for event in tf.compat.v1.train.summary_iterator(str(path))
    for value in event.summary.value
  ]


def test_flatten():
  flat = loggers.flatten(
    {
      STEPS: np.int64(7),
      'episode_return': {'agent_0': np.float32(0.1), 'agent_1': 2},
      'a': {'b': {'c': jnp.float32(1.5)}, 'd': None},
      'array': np.array([[1, 2], [3, 4]]),
      'one': np.array([5.0]),
      'flag': True,
      'nothing': [],
      'nan': float('nan'),
    },
    STEPS,
  )
  assert np.isnan(flat.pop('nan'))
  assert flat == {
    STEPS: 7,
    'episode_return/agent_0': 0.1,
    'episode_return/agent_1': 2,
    'collective_return': 2.1,
    'a/b/c': 1.5,
    'array/0/0': 1,
    'array/0/1': 2,
    'array/1/0': 3,
    'array/1/1': 4,
    'one': 5.0,
    'flag': 1,
  }
  assert isinstance(flat[STEPS], int) and isinstance(flat['flag'], int)


def test_flatten_of_a_single_return_adds_no_sum():
  flat = loggers.flatten({STEPS: 1.0, 'episode_return': 3.0}, STEPS)
  assert flat == {STEPS: 1, 'episode_return': 3.0}


def test_before_the_first_count_there_are_no_steps():
  assert loggers.flatten({'a': 1}, STEPS) == {STEPS: 0, 'a': 1}


@pytest.mark.parametrize('value', ['text', [{'a': 1}], object(), 1j])
def test_flatten_of_what_is_no_number(value):
  with pytest.raises(TypeError, match='Only numbers can be logged.*metric'):
    loggers.flatten({'metric': value}, STEPS)


def test_writes_csv_and_tensorboard(tmp_path):
  logger = loggers.make_logger(tmp_path, 'learner', time_delta=0)
  logger.write({STEPS: 10, 'moa_loss': 1.5, 'influence': {'agent_0': 0.25}})
  logger.write({STEPS: 20, 'moa_loss': float('nan')})
  # Nothing waits to be flushed.
  assert rows(tmp_path / 'learner.csv') == [
    {STEPS: '10', 'influence/agent_0': '0.25', 'moa_loss': '1.5'},
    {STEPS: '20', 'influence/agent_0': '', 'moa_loss': 'nan'},
  ]
  *others, (tag, step, value) = events(tmp_path / 'tensorboard' / 'learner')
  assert sorted(others) == [
    ('learner/influence/agent_0', 10, 0.25),
    ('learner/moa_loss', 10, 1.5),
  ]
  assert (tag, step) == ('learner/moa_loss', 20) and np.isnan(value)
  logger.close()


def test_resume_appends(tmp_path):
  for steps in (10, 20):
    logger = loggers.make_logger(tmp_path, 'actor_0')
    logger.write({STEPS: steps, 'a': steps})
    logger.close()
  assert [row['a'] for row in rows(tmp_path / 'actor_0.csv')] == ['10', '20']
  assert len(list((tmp_path / 'tensorboard' / 'actor_0').iterdir())) == 2


def test_rows_that_follow_fast_are_averaged(tmp_path):
  logger = loggers.make_logger(tmp_path, 'learner', time_delta=60)
  logger.write({STEPS: 0, 'loss': 9.0})  # The first is written at once.
  logger.write({STEPS: 10, 'loss': 1.0, 'learner_steps': 1})
  logger.write({STEPS: 20, 'loss': 2.0, 'learner_steps': 2, 'gini': 0.5})
  logger.write({STEPS: 30, 'loss': 6.0, 'learner_steps': 3, 'gini': np.nan})
  assert len(rows(tmp_path / 'learner.csv')) == 1
  logger.close()
  (first, second) = rows(tmp_path / 'learner.csv')
  assert first[STEPS] == '0' and first['loss'] == '9.0'
  # (1 + 2 + 6) / 3, and the last of each count; NaN is no value.
  assert second == {
    STEPS: '30',
    'loss': '3.0',
    'learner_steps': '3',
    'gini': '0.5',
  }


def test_an_average_by_hand():
  rows_of_a_second = [
    {'loss': 1.0, 'actor_episodes': 4, 'learner_walltime': 1.5, 'x': np.nan},
    {'loss': 4.0, 'actor_episodes': 9, 'learner_walltime': 2.5, 'x': np.nan},
  ]
  joined = loggers.average(rows_of_a_second)
  assert np.isnan(joined.pop('x'))
  assert joined == {'loss': 2.5, 'actor_episodes': 9, 'learner_walltime': 2.5}
  assert loggers.average(rows_of_a_second[:1]) == rows_of_a_second[0]


def test_a_row_is_written_after_a_while(tmp_path, monkeypatch):
  now = [100.0]
  monkeypatch.setattr(loggers.time, 'monotonic', lambda: now[0])
  logger = loggers.make_logger(tmp_path, 'learner')
  for i, seconds in enumerate([0.0, 0.4, 0.7, 0.2]):
    now[0] += seconds
    logger.write({STEPS: i, 'x': float(i)})
  logger.close()
  # The row at 1.1 seconds takes that of 0.4 along, and close() the last.
  written = [(row[STEPS], row['x']) for row in rows(tmp_path / 'learner.csv')]
  assert written == [('0', '0.0'), ('2', '1.5'), ('3', '3.0')]


def test_each_label_has_its_own_files(tmp_path):
  first = loggers.make_logger(tmp_path, 'actor_0')
  second = loggers.make_logger(tmp_path, 'actor_1', 'other_steps')
  first.write({STEPS: 1})
  second.write({'other_steps': 2})
  assert rows(tmp_path / 'actor_0.csv') == [{STEPS: '1'}]
  assert rows(tmp_path / 'actor_1.csv') == [{'other_steps': '2'}]


@pytest.mark.parametrize('label', ['', 'a/b', '../a', '.hidden', 'a b'])
def test_a_label_that_is_no_file_name(tmp_path, label):
  with pytest.raises(ValueError, match='names its files'):
    loggers.make_logger(tmp_path, label)


def test_a_directory_that_cannot_be_made(tmp_path):
  (tmp_path / 'file').touch()
  with pytest.raises(OSError):
    loggers.make_logger(tmp_path / 'file' / 'logs', 'learner')


def test_a_run_goes_on_without_its_logs(tmp_path, monkeypatch):
  logger = loggers.make_logger(tmp_path, 'learner', time_delta=0)
  logger.write({STEPS: 1, 'a': 1})

  def no_space(*_, **__):
    raise OSError(28, 'No space left on device')

  with monkeypatch.context() as patch:
    patch.setattr(csv_log.CSVLogger, '_append', no_space)
    patch.setattr(event_file_writer.EventsWriter, 'write_event', no_space)
    logger.write({STEPS: 2, 'a': 2})
  logger.write({STEPS: 3, 'a': 3})
  logger.close()
  assert [row['a'] for row in rows(tmp_path / 'learner.csv')] == ['1', '3']
  written = events(tmp_path / 'tensorboard' / 'learner')
  assert [step for _, step, _ in written] == [1, 3]


def test_what_comes_after_close_is_dropped(tmp_path):
  logger = loggers.make_logger(tmp_path, 'learner', time_delta=0)
  logger.write({STEPS: 1})
  logger.close()
  logger.close()
  logger.write({STEPS: 2})
  assert len(rows(tmp_path / 'learner.csv')) == 1


class Recorder:
  """A logger of a user's own."""

  def __init__(self, label):
    self.label, self.rows, self.num_closed = label, [], 0

  def write(self, data):
    self.rows.append(data)

  def close(self):
    self.num_closed += 1


class Broken(Recorder):
  def write(self, data):
    raise KeyError('no such project')

  def close(self):
    raise RuntimeError('connection lost')


def test_a_logger_of_ones_own_gets_the_rows_of_the_csv_file(tmp_path):
  made = []

  def make(label):
    made.append(Recorder(label))
    return made[-1]

  logger = loggers.make_logger(
    tmp_path, 'learner', time_delta=60, logger_factory=make
  )
  logger.write({STEPS: 1, 'influence': {'agent_0': 0.5}})
  logger.write({STEPS: 2, 'influence': {'agent_0': 1.0}})
  logger.write({STEPS: 3, 'influence': {'agent_0': 3.0}})
  logger.close()
  logger.close()
  (own,) = made
  assert own.label == 'learner' and own.num_closed == 1
  assert own.rows == [
    {STEPS: 1, 'influence/agent_0': 0.5},
    {STEPS: 3, 'influence/agent_0': 2.0},
  ]
  for row, own_row in zip(
    rows(tmp_path / 'learner.csv'), own.rows, strict=True
  ):
    assert {name: float(value) for name, value in row.items()} == own_row


def test_a_logger_of_ones_own_that_fails_is_reported(tmp_path, monkeypatch):
  told = []
  monkeypatch.setattr(
    loggers.logging,
    'log_every_n_seconds',
    lambda _, message, __, *args: told.append(message % args),
  )
  monkeypatch.setattr(
    loggers.logging, 'error', lambda message, *args: told.append(message % args)
  )
  logger = loggers.make_logger(
    tmp_path, 'learner', time_delta=0, logger_factory=Broken
  )
  logger.write({STEPS: 1, 'a': 1})
  logger.write({STEPS: 2, 'a': 2})
  logger.close()
  assert [row['a'] for row in rows(tmp_path / 'learner.csv')] == ['1', '2']
  row = "Broken did not log a row: KeyError: 'no such project'"
  assert told == [
    row,
    row,
    'Broken was not closed: RuntimeError: connection lost',
  ]


@pytest.mark.parametrize('made', [None, print, object()])
def test_what_a_factory_makes_must_be_a_logger(tmp_path, made):
  with pytest.raises(
    TypeError, match=r"logger_factory\('learner'\) is .*write"
  ):
    loggers.make_logger(tmp_path, 'learner', logger_factory=lambda _: made)
  assert not list(tmp_path.iterdir())


def test_threads_write_at_once(tmp_path):
  logger = loggers.make_logger(tmp_path, 'learner', time_delta=0)

  def write():
    for i in range(20):
      logger.write({STEPS: i, 'a': i, 'b': {'c': -i}})

  threads = [threading.Thread(target=write) for _ in range(4)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  logger.close()
  written = rows(tmp_path / 'learner.csv')
  assert len(written) == 80
  assert all(int(row['a']) == -int(row['b/c']) for row in written)
  assert len(events(tmp_path / 'tensorboard' / 'learner')) == 160


class ConstantActor(core.Actor):
  """Everyone always plays action 0."""

  def select_action(self, observation):
    return dict.fromkeys(observation, 0)

  def observe_first(self, timestep):
    pass

  def observe(self, action, next_timestep):
    pass

  def update(self, wait=False):
    pass


def test_logs_an_acme_environment_loop(tmp_path):
  logger = loggers.make_logger(tmp_path, 'actor', 'steps', time_delta=0)
  environment = fakes.FakeMultiAgentEnvironment(num_agents=3, episode_length=4)
  loop = acme.EnvironmentLoop(environment, ConstantActor(), logger=logger)
  loop.run(num_episodes=2)
  written = rows(tmp_path / 'actor.csv')
  assert [row['steps'] for row in written] == ['4', '8']
  for row in written:
    assert row['collective_return'] == '12.0'
    assert row['episode_return/agent_2'] == '4.0'
    assert row['episode_length'] == '4'


def test_tensorboard_is_thinned_as_a_run_grows_and_loses_no_row(
  tmp_path, monkeypatch
):
  now = [0.0]
  monkeypatch.setattr(loggers.time, 'monotonic', lambda: now[0])
  logger = loggers.make_logger(tmp_path, 'learner')
  # A row a second. After the 5000 s that it has run before: one of five.
  logger.write({STEPS: 1, 'loss': 0.0})
  now[0] = 5000.0
  for i in range(11):
    now[0] += 1.0
    logger.write({STEPS: 2 + i, 'loss': float(i)})
  logger.close()
  assert len(rows(tmp_path / 'learner.csv')) == 12
  found = events(tmp_path / 'tensorboard' / 'learner')
  # Means of 1 to 5 and 6 to 10, at the steps of the last.
  assert [(step, value) for tag, step, value in found if 'loss' in tag] == [
    (1, 0.0),
    (2, 0.0),
    (7, 3.0),
    (12, 8.0),
  ]
