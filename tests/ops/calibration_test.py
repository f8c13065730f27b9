"""Tests of calibration: numbers by hand, and a slow second implementation."""

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st
from oracles import social_oracle

from influence_acme import ops

_calibration = jax.jit(ops.calibration, static_argnames='num_bins')

# What was predicted for two actions, and which was taken. In two bins above
# 1/2 of four: (1/2, 3/4] has confidences 0.6 and 0.7, of which one came true;
# (3/4, 1] has 0.8, 0.9 and 1, of which two came true.
PROBS = np.array([(0.6, 0.4), (0.3, 0.7), (0.8, 0.2), (0.1, 0.9), (1.0, 0.0)])
TAKEN = np.array([0, 0, 0, 0, 0])


def logits_of(probs):
  with np.errstate(divide='ignore'):
    return np.log(probs).astype(np.float32)


@pytest.mark.parametrize('jit', (False, True))
def test_by_hand(jit):
  calibration = _calibration if jit else ops.calibration
  output = calibration(logits_of(PROBS), TAKEN, num_bins=4)
  low, high = 0.65, 0.9
  nan = np.nan
  np.testing.assert_allclose(output.confidence, [nan, nan, low, high], 1e-6)
  np.testing.assert_allclose(output.accuracy, [nan, nan, 1 / 2, 2 / 3], 1e-6)
  np.testing.assert_array_equal(output.weight, [0, 0, 2, 3])
  # Apart by 0.15 and 0.9 - 2/3, twice and thrice of five: (0.3 + 0.7) / 5.
  np.testing.assert_allclose(output.error, 0.2, rtol=1e-5)
  assert output.error.dtype == output.weight.dtype == jnp.float32


def test_weights_by_hand():
  # Without the wrong ones: always too unsure, by 0.4, 0.2 and 0.
  weight = np.array([1, 0, 1, 0, 2])
  output = _calibration(logits_of(PROBS), TAKEN, weight=weight, num_bins=4)
  np.testing.assert_allclose(output.error, (0.4 + 0.2) / 4, rtol=1e-5)
  np.testing.assert_array_equal(output.weight, [0, 0, 1, 3])


def test_who_is_always_right_about_how_sure_to_be():
  # 8 in 10 of the predictions of 0.8 come true.
  probs = np.tile([0.1, 0.8, 0.1], (10, 1))
  taken = np.array([1] * 8 + [0, 2])
  np.testing.assert_allclose(
    _calibration(logits_of(probs), taken).error, 0, atol=1e-6
  )


def test_who_is_sure_and_always_wrong():
  output = _calibration(logits_of(np.tile([1.0, 0.0], (3, 1))), np.ones(3, int))
  assert output.error == 1


def test_what_counts_nothing_may_be_anything():
  logits = np.array([[np.nan, 0], [0, 0]], np.float32)
  # Half sure, and it came true: the draw goes to the lower action.
  output = _calibration(logits, np.array([5, 0]), weight=np.array([0, 1]))
  np.testing.assert_allclose(output.error, 0.5)
  nothing = _calibration(logits, np.array([0, 0]), weight=np.zeros(2))
  assert nothing.error == 0


@pytest.mark.parametrize(
  ('logits', 'taken'), [([np.nan, 0], 0), ([0, 0], 2), ([0, 0], -1)]
)
def test_what_is_no_prediction_shows(logits, taken):
  output = _calibration(np.array([logits], np.float32), np.array([taken]))
  assert np.isnan(output.error)


def test_bad_arguments():
  with pytest.raises(ValueError, match='num_bins is 0: it must be an integer'):
    ops.calibration(np.zeros((2, 3)), np.zeros(2, int), num_bins=0)
  with pytest.raises(AssertionError, match='actions must be'):
    ops.calibration(np.zeros((2, 3)), np.zeros(3, int))


@hypothesis.given(st.integers(0, 10**6))
@hypothesis.settings(max_examples=25, deadline=None)
def test_the_oracle_agrees(seed):
  rng = np.random.default_rng(seed)
  logits = rng.normal(0, 2, (6, 5, 4)).astype(np.float32)
  taken = rng.integers(0, 4, (6, 5))
  weight = rng.integers(0, 3, (6, 5))
  output = _calibration(logits, taken, weight=weight, num_bins=7)
  expected = social_oracle.calibration_error(logits, taken, weight, 7)
  np.testing.assert_allclose(output.error, expected, atol=1e-5)
  assert 0 <= output.error <= 1
