"""Tests of the CSV files."""

import csv
import os
import signal
import threading

import numpy as np
import pytest

from influence_acme.runs import csv_log

STEPS = 'environment_steps'


def rows(path):
  with open(path, newline='') as file:
    return list(csv.reader(file))


class SmallDisk:
  """A file on a disk that has room for some bytes only."""

  def __init__(self, file, room):
    self._file = file
    self._room = room

  def write(self, data):
    if not self._room:
      raise OSError(28, 'No space left on device')
    count = self._file.write(data[: self._room])
    self._room -= count
    return count

  def __getattr__(self, name):
    return getattr(self._file, name)


def test_writes_the_steps_first_and_the_other_columns_sorted(tmp_path):
  logger = csv_log.CSVLogger(tmp_path / 'a.csv', STEPS)
  logger.write({'b': 1.5, STEPS: 10, 'a': 2})
  logger.write({STEPS: 20, 'a': 3, 'b': float('nan')})
  logger.close()
  assert rows(tmp_path / 'a.csv') == [
    [STEPS, 'a', 'b'],
    ['10', '2', '1.5'],
    ['20', '3', 'nan'],
  ]


def test_a_row_is_on_disk_as_soon_as_it_is_written(tmp_path):
  logger = csv_log.CSVLogger(tmp_path / 'a.csv', STEPS)
  logger.write({STEPS: 1, 'a': 2})
  assert rows(tmp_path / 'a.csv')[1:] == [['1', '2']]
  logger.close()


def test_columns_that_come_later_and_columns_that_are_missing(tmp_path):
  logger = csv_log.CSVLogger(tmp_path / 'a.csv', STEPS)
  logger.write({STEPS: 1, 'b': 2})
  logger.write({STEPS: 2, 'a': 3, 'with,comma': 4})
  logger.write({STEPS: 3})
  logger.close()
  assert rows(tmp_path / 'a.csv') == [
    [STEPS, 'b', 'a', 'with,comma'],
    ['1', '2', '', ''],
    ['2', '', '3', '4'],
    ['3', '', '', ''],
  ]
  assert os.listdir(tmp_path) == ['a.csv']


def test_goes_on_in_a_file_that_is_there(tmp_path):
  for data in ({STEPS: 1, 'b': 2}, {STEPS: 2, 'a': 3}, {STEPS: 3, 'b': 4}):
    logger = csv_log.CSVLogger(tmp_path / 'a.csv', STEPS)
    logger.write(data)
    logger.close()
  assert rows(tmp_path / 'a.csv') == [
    [STEPS, 'b', 'a'],
    ['1', '2', ''],
    ['2', '', '3'],
    ['3', '4', ''],
  ]


@pytest.mark.parametrize('torn', ['2', '2,3', '2,3,4'])
def test_a_torn_last_row_is_dropped(tmp_path, torn):
  path = tmp_path / 'a.csv'
  path.write_text(f'{STEPS},a,b\n1,1,1\n{torn}')
  assert list(csv_log.read_log(path)[STEPS]) == [1]
  logger = csv_log.CSVLogger(path, STEPS)
  logger.write({STEPS: 2, 'a': 5, 'b': 6})
  logger.close()
  assert rows(path) == [[STEPS, 'a', 'b'], ['1', '1', '1'], ['2', '5', '6']]


def test_a_torn_header_is_dropped(tmp_path):
  path = tmp_path / 'a.csv'
  path.write_text('environ')
  assert csv_log.read_log(path) == {}
  logger = csv_log.CSVLogger(path, STEPS)
  logger.write({STEPS: 2, 'a': 5})
  logger.close()
  assert rows(path) == [[STEPS, 'a'], ['2', '5']]


def test_a_full_disk_leaves_no_part_of_a_row(tmp_path, monkeypatch):
  path = tmp_path / 'a.csv'
  logger = csv_log.CSVLogger(path, STEPS)
  logger.write({STEPS: 1, 'a': 2})
  disk = logger._file
  monkeypatch.setattr(logger, '_file', SmallDisk(disk, room=3))
  for _ in range(2):
    with pytest.raises(OSError):
      logger.write({STEPS: 2222, 'a': 3})
    assert rows(path) == [[STEPS, 'a'], ['1', '2']]
  monkeypatch.setattr(logger, '_file', disk)  # Somebody made room.
  logger.write({STEPS: 3, 'a': 4})
  logger.close()
  assert rows(path) == [[STEPS, 'a'], ['1', '2'], ['3', '4']]


def test_a_full_disk_while_columns_are_added(tmp_path, monkeypatch):
  path = tmp_path / 'a.csv'
  logger = csv_log.CSVLogger(path, STEPS)
  logger.write({STEPS: 1, 'a': 2})

  def no_space(*_, **__):
    raise OSError(28, 'No space left on device')

  with monkeypatch.context() as patch:
    patch.setattr(csv_log, '_line', no_space)
    with pytest.raises(OSError, match='No space'):
      logger.write({STEPS: 2, 'b': 3})
  assert os.listdir(tmp_path) == ['a.csv']
  assert rows(path) == [[STEPS, 'a'], ['1', '2']]
  logger.write({STEPS: 3, 'b': 4})
  logger.close()
  assert rows(path) == [[STEPS, 'a', 'b'], ['1', '2', ''], ['3', '', '4']]


def test_threads_write_at_once(tmp_path):
  path = tmp_path / 'a.csv'
  logger = csv_log.CSVLogger(path, STEPS)

  def write(thread):
    for i in range(100):
      logger.write({STEPS: i, 'thread': thread, f'own_{thread}': i})

  threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  logger.close()
  header, *body = rows(path)
  assert len(header) == 10 and len(body) == 800
  seen = [dict(zip(header, row, strict=True)) for row in body]
  for i in range(8):
    own = [row for row in seen if row['thread'] == str(i)]
    assert [row[STEPS] for row in own] == [str(j) for j in range(100)]
    assert all(row[f'own_{i}'] == row[STEPS] for row in own)


def test_what_was_logged_outlives_a_killed_process(tmp_path):
  path = tmp_path / 'a.csv'
  child = os.fork()
  if not child:
    logger = csv_log.CSVLogger(path, STEPS)
    for i in range(10):
      logger.write({STEPS: i, 'a': i})
    os.kill(os.getpid(), signal.SIGKILL)
  os.waitpid(child, 0)
  np.testing.assert_array_equal(csv_log.read_log(path)['a'], np.arange(10))


def test_a_file_that_cannot_be_opened(tmp_path):
  with pytest.raises(FileNotFoundError):
    csv_log.CSVLogger(tmp_path / 'missing' / 'a.csv', STEPS)


def test_reads_numbers_and_gaps(tmp_path):
  path = tmp_path / 'a.csv'
  path.write_text(f'{STEPS},a,b\n1,,2.5\n2,nan,inf\n3,-1e-3,\n')
  columns = csv_log.read_log(path)
  assert list(columns) == [STEPS, 'a', 'b']
  nan = float('nan')
  np.testing.assert_array_equal(columns[STEPS], [1, 2, 3])
  np.testing.assert_array_equal(columns['a'], [nan, nan, -1e-3])
  np.testing.assert_array_equal(columns['b'], [2.5, float('inf'), nan])


@pytest.mark.parametrize('text', ['', f'{STEPS},a\n', f'{STEPS},a\n1'])
def test_reads_a_file_without_rows(tmp_path, text):
  path = tmp_path / 'a.csv'
  path.write_text(text)
  assert csv_log.read_log(path) == {}


def test_what_a_resumed_run_lived_through_again_is_left_out(tmp_path):
  path = tmp_path / 'a.csv'
  # Killed at 40, resumed from a checkpoint at 20; killed at 35, resumed at 30.
  steps = [10, 20, 30, 40, 20, 30, 35, 30, 40]
  lines = ''.join(f'{step},{i}\n' for i, step in enumerate(steps))
  path.write_text(f'{STEPS},a\n{lines}')
  columns = csv_log.read_log(path)
  np.testing.assert_array_equal(columns[STEPS], [10, 20, 20, 30, 30, 40])
  np.testing.assert_array_equal(columns['a'], [0, 1, 4, 5, 7, 8])


@pytest.mark.parametrize('max_bytes', [1, 5, 8, 20, 1000])
def test_reads_whole_rows_of_the_end(tmp_path, max_bytes):
  path = tmp_path / 'a.csv'
  path.write_text(f'{STEPS},a\n' + ''.join(f'{i},{-i}\n' for i in range(10)))
  columns = csv_log.read_log(path, max_bytes=max_bytes)
  everything = csv_log.read_log(path)
  count = len(columns.get('a', []))
  assert count == {1: 0, 5: 0, 8: 1, 20: 3, 1000: 10}[max_bytes]
  for name, values in columns.items():
    np.testing.assert_array_equal(values, everything[name][-count:])
