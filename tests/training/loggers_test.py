"""A logger of the user's own in the fused trainer."""

import numpy as np
import pytest
import tiny

from influence_acme import training
from influence_acme.runs import csv_log

_AGENT = tiny.make_agent('baseline')


def _run(path, logger_factory):
  return training.run(
    tiny.make_config(path, _AGENT), logger_factory=logger_factory
  )


def test_it_gets_the_rows_of_the_learner_and_of_the_actor(tmp_path):
  rows: dict[str, list[dict[str, float]]] = {}
  closed = []

  class Recorder:
    def __init__(self, label):
      self._label = label
      rows[label] = []

    def write(self, data):
      rows[self._label].append(data)

    def close(self):
      closed.append(self._label)

  assert _run(tmp_path / 'run', Recorder) == 0
  assert sorted(rows) == sorted(closed) == ['actor_0', 'learner']
  for label, own in rows.items():
    logged = csv_log.read_log(tmp_path / f'run/logs/{label}.csv')
    for name, column in logged.items():
      np.testing.assert_array_equal(
        [row.get(name, np.nan) for row in own], column
      )
  assert rows['learner'][-1]['environment_steps'] >= 100
  assert 'episode_return/agent_1' in rows['actor_0'][-1]


def test_a_run_does_not_fail_for_it(tmp_path):
  class Broken:
    def __init__(self, label):
      pass

    def write(self, data):
      raise ConnectionError('offline')

    def close(self):
      raise ConnectionError('offline')

  assert _run(tmp_path / 'run', Broken) == 0
  assert not (tmp_path / 'run' / 'failure.txt').exists()


def test_what_is_no_function_is_refused_before_anything_is_written(tmp_path):
  with pytest.raises(ValueError, match="logger_factory is 'wandb': it must be"):
    _run(tmp_path / 'run', 'wandb')
  assert not (tmp_path / 'run').exists()


def test_what_makes_no_logger_ends_the_run_before_it_learns(tmp_path):
  assert _run(tmp_path / 'run', lambda label: None) == 1
  told = tiny.failure(tmp_path / 'run').splitlines()[0]
  assert "TypeError: logger_factory('learner') is None: it must return" in told
  assert not (tmp_path / 'run' / 'checkpoint').exists()
