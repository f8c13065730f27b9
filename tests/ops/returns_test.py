"""Tests of how a group fares: efficiency, equality, sustainability, peace."""

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import social_oracle

from influence_acme import ops

NAN = np.nan
T, N = 7, 5

_gini = jax.jit(ops.gini)
_equality = jax.jit(ops.equality)
_efficiency = jax.jit(ops.efficiency)
_sustainability = jax.jit(ops.sustainability)
_peace = jax.jit(ops.peace)

# Numbers that float32 holds without rounding each other away.
_shares = hypothesis.extra.numpy.arrays(
  np.float32, (N,), elements=st.integers(0, 1000)
)
_property = hypothesis.settings(deadline=None, max_examples=60)


# --- Gini and equality -------------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
@pytest.mark.parametrize(
  ('returns', 'expected'),
  [
    # Differences of 2, twice, by 2 * 2 * 4.
    ([1, 3], 1 / 4),
    # One has it all: (N - 1) / N. 6 differences of 4, by 2 * 4 * 4.
    ([0, 0, 0, 4], 3 / 4),
    # 1, 2, 3: differences of 1, 1, 2, twice each, by 2 * 3 * 6.
    ([2, 3, 1], 2 / 9),
    # Fines break the range: differences of 3, twice, by 2 * 2 * 1.
    ([-1, 2], 3 / 2),
    ([5], 0),
    # Equals are equal, whatever they get.
    ([0, 0, 0], 0),
    ([-7, -7], 0),
    # Nothing to share, or less: no meaning.
    ([-1, 1], NAN),
    ([-950, -900], NAN),
    ([1, NAN], NAN),
  ],
)
def test_gini_by_hand(returns, expected, jit):
  gini, equality = (_gini, _equality) if jit else (ops.gini, ops.equality)
  returns = np.array(returns)
  np.testing.assert_allclose(gini(returns), expected, rtol=1e-6)
  np.testing.assert_allclose(equality(returns), 1 - expected, rtol=1e-6)
  assert gini(returns).dtype == jnp.float32


@_property
@hypothesis.given(
  _shares, st.permutations(range(N)), st.sampled_from([0.01, 1, 8])
)
def test_gini_of_shares(returns, order, scale):
  gini = _gini(returns)
  assert 0 <= gini <= (N - 1) / N + 1e-6
  np.testing.assert_allclose(gini, social_oracle.gini(returns), atol=1e-6)
  # Neither who got which share matters, nor in which money.
  np.testing.assert_allclose(_gini(returns[np.array(order)]), gini, atol=1e-6)
  np.testing.assert_allclose(_gini(returns * scale), gini, atol=1e-6)


def test_gini_batches_are_apart():
  returns = np.random.default_rng(0).normal(1, 3, size=(4, 6, N))
  gini = _gini(returns)
  np.testing.assert_allclose(gini, jax.vmap(_gini)(returns), rtol=1e-5)
  expected = [[social_oracle.gini(x) for x in row] for row in returns]
  np.testing.assert_allclose(gini, expected, rtol=1e-3)
  assert 0 < np.isnan(gini).sum() < gini.size  # Of both kinds.


# --- Efficiency, sustainability, peace ---------------------------------------


@pytest.mark.parametrize('jit', (False, True))
def test_trajectory_measures_by_hand(jit):
  efficiency, sustainability, peace = (
    (_efficiency, _sustainability, _peace)
    if jit
    else (ops.efficiency, ops.sustainability, ops.peace)
  )
  # Agent 0 is paid at steps 0 and 2 (mean 1), agent 1 at step 3 alone, agent
  # 2 never: (1 + 3) / 2 = 2, of those who are. The sum is 6 in 4 steps.
  rewards = np.array([[1, 0, 0], [0, -3, 0], [5, 0, -1], [0, 4, 0]])
  np.testing.assert_allclose(efficiency(rewards), 6 / 4)
  np.testing.assert_allclose(sustainability(rewards), 2)
  # Two, or three, hits in 4 steps of 3 agents.
  np.testing.assert_allclose(peace(rewards < 0), (12 - 2) / 4)
  np.testing.assert_allclose(peace(rewards > 0), (12 - 3) / 4)
  for measure in (efficiency, sustainability):
    assert measure(rewards).dtype == jnp.float32
  assert peace(rewards < 0).dtype == jnp.float32


def test_ends_of_the_ranges():
  assert _peace(np.zeros((T, N), bool)) == N
  assert _peace(np.ones((T, N), bool)) == 0
  always, never = np.ones((T, N)), -np.ones((T, N))
  assert _sustainability(always) == (T - 1) / 2
  assert np.isnan(_sustainability(never))
  assert _efficiency(never) == -N
  # One step.
  assert _sustainability(always[:1]) == 0
  assert _efficiency(always[:1]) == N
  assert _peace(np.zeros((1, N), bool)) == N


@_property
@hypothesis.given(
  hypothesis.extra.numpy.arrays(
    np.float32, (T, N), elements=st.integers(-2, 1)
  ),
  st.permutations(range(N)),
)
def test_trajectory_measures_of_any_episode(rewards, order):
  order = np.array(order)
  when = _sustainability(rewards)
  np.testing.assert_allclose(
    when, social_oracle.sustainability(rewards), rtol=1e-5
  )
  assert np.isnan(when) or 0 <= when <= T - 1
  np.testing.assert_allclose(_efficiency(rewards), rewards.sum() / T, atol=1e-5)
  fined = rewards < -1
  expected = (N * T - fined.sum()) / T
  np.testing.assert_allclose(_peace(fined), expected, rtol=1e-6)
  # Who is who does not matter.
  np.testing.assert_allclose(
    _sustainability(rewards[:, order]), when, rtol=1e-5
  )
  np.testing.assert_allclose(_peace(fined[:, order]), expected, rtol=1e-6)


def test_trajectory_measures_under_vmap():
  rewards = np.random.default_rng(0).integers(-1, 2, size=(4, T, N))
  for measure, arrays in (
    (ops.efficiency, rewards),
    (ops.sustainability, rewards),
    (ops.peace, rewards < 0),
  ):
    mapped = jax.jit(jax.vmap(measure))(arrays)
    np.testing.assert_allclose(mapped, [measure(x) for x in arrays], rtol=1e-6)


def test_wrong_arguments_are_refused():
  for measure in (ops.efficiency, ops.sustainability, ops.peace):
    with pytest.raises(AssertionError, match=r'must be \[T, N\]'):
      measure(np.zeros((2, T, N), bool))
  with pytest.raises(AssertionError):
    ops.peace(np.full((T, N), -50.0))  # Rewards are no hits.
  with pytest.raises(AssertionError, match='returns must be'):
    ops.gini(1.0)


# --- Fair return -------------------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
@pytest.mark.parametrize(
  ('returns', 'expected'),
  [
    ([1, 3], 4 * 3 / 4),
    ([0, 0, 0, 4], 4 * 1 / 4),
    ([5], 5),
    ([0, 0, 0], 0),
    # Nothing to share: differences of 2, twice, by 2 * 2.
    ([-1, 1], -1),
    ([-50, -1], -51 - 49 / 2),
  ],
)
def test_fair_return_by_hand(returns, expected, jit):
  fair_return = jax.jit(ops.fair_return) if jit else ops.fair_return
  np.testing.assert_allclose(fair_return(np.array(returns)), expected)


@_property
@hypothesis.given(_shares)
def test_fair_return_is_the_return_times_the_equality(returns):
  expected = returns.sum() * (1 - social_oracle.gini(returns))
  expected = 0 if np.isnan(expected) else expected
  np.testing.assert_allclose(
    ops.fair_return(returns), expected, rtol=1e-5, atol=1e-2
  )
