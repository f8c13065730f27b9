"""How work is timed, on a clock of our own; and what is made of it."""

import numpy as np
import pytest

from benchmarks import end_to_end, settings, table, timing


class Clock:
  """A clock that only work moves; one of two cores is busy."""

  def __init__(self, monkeypatch):
    self.now = 0.0
    monkeypatch.setattr(timing.time, 'perf_counter', lambda: self.now)
    monkeypatch.setattr(timing.time, 'process_time', lambda: self.now / 2)


def test_rates_are_amounts_over_whole_calls(monkeypatch):
  clock = Clock(monkeypatch)
  durations = iter([2.0, 2.0, 1.0, 3.0])

  def work():
    clock.now += next(durations)
    return 6.0

  # Two calls of 2 s in the first repeat, of 1 and 3 s in the second one.
  found = timing.measure(work, repeats=2, seconds=2.5)
  assert found == {'rates': [3.0, 3.0], 'cores_used': 0.5}
  assert next(durations, None) is None


def test_the_first_call_is_compared_with_the_second(monkeypatch):
  clock = Clock(monkeypatch)
  durations = iter([10.0, 4.0])

  def work():
    clock.now += next(durations)

  assert timing.first_call_seconds(work) == 6.0


def test_summaries():
  assert timing.summarise([5.0, 1.0, 2.0]) == {
    'median': 2.0,
    'min': 1.0,
    'max': 5.0,
    'repeats': 3,
  }
  parts: list[timing.Rates] = [
    {'rates': [1.0], 'cores_used': 1.0},
    {'rates': [2.0, 3.0], 'cores_used': 2.0},
  ]
  assert timing.merge(parts) == {'rates': [1.0, 2.0, 3.0], 'cores_used': 1.5}


def test_windows_of_a_log():
  seconds = np.array([9.0, 10.0, 11.0, 13.0, 14.0])
  steps = np.array([0.0, 50.0, 100.0, 300.0, 700.0])
  # From the first row at or after 9 + 1.5: 200 steps in 2 s, 400 in 1 s.
  found = end_to_end.window_rates(steps, seconds, settle=1.5, repeats=2)
  assert found == [100.0, 400.0]
  found = end_to_end.window_rates(steps, seconds, settle=0.0, repeats=1)
  assert found == [140.0]


def test_settings_reach_other_processes():
  for workload in (settings.STEP_BY_STEP, settings.SMOKE_VECTORISED):
    for plan in (settings.FULL, settings.SMOKE):
      text = settings.to_json(workload, plan)
      assert settings.from_json(text) == (workload, plan)


def test_the_row_after_an_episode_is_no_step():
  workload = settings.Workload(episode_length=3, unroll_length=8, batch_size=10)
  assert workload.steps_per_update == pytest.approx(60.0)
  assert workload.kind == 'vectorised'
  assert settings.STEP_BY_STEP.kind == 'step by step'


def test_rows_line_up_with_the_header():
  row = table.make_row(
    'training, threads, vectorised',
    2,
    'steps/s',
    [1234.0, 1300.0, 1200.0],
    gemm_fraction=0.0321,
    cores_used=1.5,
    start_up_seconds=12.3,
    peak_memory_bytes=3 * 2**29,
    others_share=0.02,
  )
  line = table.format_row(row)
  header = table.format_header()
  assert len(line) == len(header)
  assert line.split()[-9:] == [
    '1,234', '1,200', '1,300', 'steps/s', '3.2%', '1.50', '1.50', '12', '2%'
  ]  # fmt: skip
  line = table.format_row(table.make_row('GEMM', 1, 'FLOP/s', [123.4e9]))
  assert line.split() == [
    'GEMM', '1', *3 * ['123.4', 'G'], 'FLOP/s'
  ]  # fmt: skip


def test_ratios_are_those_of_the_same_repeat():
  # The machine was slower in the second repeat: both were.
  found = timing.ratios({'moa': [10.0, 2.0], 'basic': [5.0, 1.5]}, 'moa')
  assert found == {
    'basic': {'median': 0.625, 'min': 0.5, 'max': 0.75, 'repeats': 2}
  }
