"""Whether the machine was idle, and processes that measure."""

import time

import pytest

from benchmarks import environment, machine, processes, settings
from influence_acme import environments


def test_doubts_name_what_was_disturbed():
  assert not machine.doubts(0.1, {'GEMM': 0.05})
  before, during = machine.doubts(0.5, {'GEMM': 0.01, 'learning': 0.3})
  assert before == 'Before the start 50% of it was in use.'
  assert during == 'Others took 30% of it during learning.'


def test_what_we_do_ourselves_is_not_of_others(monkeypatch):
  # Two cores, of which ours are all; 10 s pass; seconds: busy, all, own.
  readings = iter([(100.0, 1000.0, 50.0), (115.0, 1020.0, 61.0)])
  monkeypatch.setattr(machine, '_read_times', lambda: next(readings))
  with machine.Watch() as watch:
    pass
  assert watch.others_share == (15 - 11) / 20


def test_a_watch_on_the_real_machine():
  with machine.Watch() as watch:
    time.sleep(0.05)
  assert 0 <= watch.others_share <= 1
  found = machine.describe()
  assert found['cores'] >= 1
  assert found['cpu']
  assert found['memory_bytes'] > 2**28


def test_processes_measure_at_the_same_time():
  core = machine.cores()[0]
  results = processes.run(
    'gemm.measure', settings.SMOKE_VECTORISED, settings.SMOKE, [[core], [core]]
  )
  assert len(results) == 2
  for result in results:
    assert len(result['rates']) == settings.SMOKE.repeats
    assert min(result['rates']) > 0
    assert result['peak_memory_bytes'] > 2**20


def test_a_process_that_fails_is_an_error():
  with pytest.raises(RuntimeError, match='gemm.nonsense failed'):
    processes.run(
      'gemm.nonsense',
      settings.SMOKE_VECTORISED,
      settings.SMOKE,
      [machine.cores()],
    )


def test_the_environment_plays_a_batch_at_a_time():
  game = environments.functional('coordination', episode_length=3)
  work = environment.make_work(game, batch_size=4)
  assert [work() for _ in range(5)] == [4] * 5
