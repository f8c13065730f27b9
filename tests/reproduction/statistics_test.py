"""Tests of intervals, curves and correlations, by hand."""

import numpy as np

from influence_acme.metrics import interval as interval_lib
from influence_acme.reproduction import statistics
from influence_acme.runs import curves


def test_interval_by_hand():
  # Deviation sqrt(2.5), error sqrt(0.5); the t table has 5.598 for 0.9975 and
  # 4 degrees of freedom.
  values = np.array([[1, 7], [2, 7], [3, 7], [4, 7], [5, 7]])
  mean, half_width = interval_lib.interval(values, statistics.CONFIDENCE)
  np.testing.assert_allclose(mean, [3, 7])
  np.testing.assert_allclose(half_width, [5.598 * 0.5**0.5, 0], rtol=1e-4)
  # And 2.7764 for 0.975.
  narrow = interval_lib.interval(values[:, 0], 0.95)
  np.testing.assert_allclose(narrow.half_width, 2.7764 * 0.5**0.5, rtol=1e-4)


def test_one_seed_has_no_interval():
  mean, half_width = interval_lib.interval(np.array([[1.0, 2.0]]), 0.995)
  np.testing.assert_array_equal(mean, [1, 2])
  assert np.isnan(half_width).all()


def test_intervals_hold_the_mean_as_often_as_they_say():
  values = np.random.default_rng(0).normal(2.0, 3.0, size=(5, 4000))
  mean, half_width = interval_lib.interval(values, 0.9)
  assert 0.88 < (np.abs(mean - 2) < half_width).mean() < 0.92


def test_thinned_curves_are_means_of_equal_parts():
  # Parts end at 25, 50, 75 and 100; the third has no value, and what lies
  # beyond the end belongs to the last one.
  steps = np.array([10.0, 25, 26, 80, 104])
  series = curves.Series(steps, np.array([1.0, 2, 5, 6, 7.00009]), 104.0)
  found = statistics.thin(series, 100, 4)
  np.testing.assert_array_equal(found.steps, [12.5, 37.5, 87.5])
  np.testing.assert_array_equal(found.values, [1.5, 5, 6.5])
  assert found.end == 100
  # What was NaN at the end stays unknown there.
  early = curves.Series(steps[:2], np.array([1.0, 2]), 104.0)
  assert np.isnan(statistics.final_mean(statistics.thin(early, 100, 4)))


def test_the_end_of_a_thinned_curve_is_that_of_the_whole():
  steps = np.arange(0.5, 1000)
  series = curves.Series(steps, steps, 1000.0)
  found = statistics.thin(series, 1000, 100)
  # The last 5% and 10%: 950 to 1000 and 900 to 1000.
  assert statistics.final_mean(found) == statistics.final_mean(series) == 975
  last = statistics.last_values(found, 0.1)
  assert (last.size, last.mean()) == (10, 950)


def test_final_mean_by_hand():
  steps = np.array([100.0, 940, 950, 960, 1000])
  series = curves.Series(steps, np.array([9.0, 9, 1, 2, 6]))
  assert statistics.final_mean(series) == 3  # From step 950 on.
  only = curves.Series(np.array([5.0]), np.array([7.0]))
  assert statistics.final_mean(only) == 7


def test_the_end_is_the_runs_and_not_that_of_what_is_left():
  early = curves.Series(np.array([100.0, 200]), np.array([3.0, 5]), end=1000.0)
  assert np.isnan(statistics.final_mean(early))
  late = curves.Series(np.array([100.0, 950]), np.array([3.0, 5]), end=1000.0)
  assert statistics.final_mean(late) == 5


def test_curves_without_common_steps_are_not_extrapolated():
  early = curves.Series(np.array([0.0, 10]), np.array([1.0, 2]))
  late = curves.Series(np.array([20.0, 30]), np.array([1.0, 2]))
  steps, values = statistics.on_grid([early, late])
  assert steps.shape == (0,)
  assert values.shape == (2, 0)


def test_curves_on_common_steps():
  line = curves.Series(np.array([0.0, 10, 20]), np.array([0.0, 10, 20]))
  longer = curves.Series(np.array([5.0, 105]), np.array([1.0, 11]))
  steps, values = statistics.on_grid([line, longer])
  assert (steps[0], steps[-1]) == (5, 20)
  np.testing.assert_allclose(values[0], steps)
  np.testing.assert_allclose(values[1], 1 + (steps - 5) / 10)


def test_correlation_by_hand():
  # Deviations -1 0 1 and -1 1 0: 1 by 2.
  found = statistics.correlate([1, 2, 3], [10, 12, 11])
  np.testing.assert_allclose(found[:2], [0.5, 0.5])
  assert found.num_pairs == 3
  # Of six pairings three are at 0.5 or above: 2 * 3 / 6. The best: 2 / 6.
  assert found.p_value == 1
  np.testing.assert_allclose(
    statistics.correlate([1, 2, 3], [4, 5, 6])[2], 1 / 3
  )
  # In order, but not on a line: -1.5 -.5 .5 1.5 and -22 -21 -13 56 (sum 0).
  found = statistics.correlate([1, 2, 3, 4], [0, 1, 9, 78])
  expected = (33 + 10.5 - 6.5 + 84) / (5 * (484 + 441 + 169 + 3136)) ** 0.5
  np.testing.assert_allclose(found[:2], [expected, 1])


def test_no_correlation_without_pairs_or_differences():
  for pairs in ([], []), ([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]):
    assert np.isnan(statistics.correlate(*pairs)[:3]).all()
