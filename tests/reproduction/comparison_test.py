"""Tests of comparisons with controls, by hand."""

import numpy as np

from influence_acme.reproduction import comparison
from influence_acme.reproduction import results as results_lib


def _finish(sweep, write_log, write_checkpoint, returns):
  for run, value in zip(sweep.runs(), returns, strict=True):
    write_log(run, [(100, (value, 0), 0)])
    write_checkpoint(run, 100)
  return results_lib.by_setting(results_lib.load(sweep))


def test_differences_are_of_the_same_seeds(
  make_sweep, write_log, write_checkpoint
):
  sweep = make_sweep(variants=('baseline', 'moa_baseline', 'moa'))
  groups = _finish(sweep, write_log, write_checkpoint, (10, 20, 11, 24, 13, 22))
  moa = groups['moa']['paper']
  found = comparison.difference(moa, groups['baseline']['paper'])
  np.testing.assert_array_equal(found, [3, 2])
  # Of seed 1 alone.
  found = comparison.difference(moa, groups['baseline']['paper'][1:])
  np.testing.assert_array_equal(found, [2])
  # 2 - 4 and 4 - 2: 2 and -2 of mean 0; t of one degree at 0.9975 is 127.32,
  # times an error of 2. 13 > 11, 22 > 11, but 24 is above both.
  assert comparison.rows(groups) == [
    ('moa_baseline', 'paper', 'baseline', '2', '2.5 ± 191.0', '75%'),
    ('moa', 'paper', 'moa_baseline', '2', '0.0 ± 254.6', '50%'),
    ('moa', 'paper', 'baseline', '2', '2.5 ± 63.7', '75%'),
  ]


def test_the_probability_of_improvement_by_hand():
  # Of six pairs 2 > 1, 3 > 1, 3 > 2 twice over, and 2 = 2 counts half.
  assert comparison.improvement([2, 3], [1, 2, 4]) == (1 + 0.5 + 0 + 1 + 1) / 6
  assert comparison.improvement([1], [1]) == 0.5
  x, y = np.random.default_rng(0).normal(size=(2, 20))
  assert np.isclose(
    comparison.improvement(x, y) + comparison.improvement(y, x), 1
  )
