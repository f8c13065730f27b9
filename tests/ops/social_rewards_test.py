"""Tests of the rewards that heed what the others get."""

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import social_oracle

from influence_acme import ops

T, B, N = 6, 3, 4

_prosocial = jax.jit(ops.prosocial_reward)
_inequity_averse = jax.jit(ops.inequity_averse_reward)
_PUBLISHED = {'alpha': 5, 'beta': 0.05, 'gamma': 0.99, 'lam': 0.975}

# XLA takes subnormal numbers for 0.
_numbers = st.floats(-50, 50, width=32, allow_subnormal=False)
_rewards = hypothesis.extra.numpy.arrays(np.float32, (N,), elements=_numbers)
_property = hypothesis.settings(deadline=None, max_examples=60)


# --- Prosocial ---------------------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
def test_prosocial_by_hand(jit):
  # The others get -2 + 4 = 2, 1 + 4 = 5 and 1 - 2 = -1; half of it is added.
  prosocial = _prosocial if jit else ops.prosocial_reward
  shaped = prosocial(np.array([1, -2, 4]), 0.5)
  np.testing.assert_allclose(shaped, [2, 0.5, 3.5])
  assert shaped.dtype == jnp.float32


@_property
@hypothesis.given(_rewards, st.floats(0, 2, width=32))
def test_prosocial_properties(rewards, eta):
  shaped = _prosocial(rewards, eta)
  expected = social_oracle.prosocial_reward(rewards, eta)
  np.testing.assert_allclose(shaped, expected, atol=1e-4)
  # Selfish agents get what they got, to the bit; with 1 all get the same.
  np.testing.assert_array_equal(_prosocial(rewards, 0.0), rewards)
  np.testing.assert_allclose(_prosocial(rewards, 1.0), rewards.sum(), atol=1e-4)


def test_prosocial_batches_are_apart():
  rewards = np.random.default_rng(0).normal(size=(T, B, N))
  shaped = _prosocial(rewards, 0.85)
  mapped = jax.vmap(jax.vmap(_prosocial, (0, None)), (0, None))(rewards, 0.85)
  np.testing.assert_allclose(shaped, mapped, atol=1e-6)
  for t, b in np.ndindex(T, B):
    expected = social_oracle.prosocial_reward(rewards[t, b], 0.85)
    np.testing.assert_allclose(shaped[t, b], expected, atol=1e-5)


# --- Inequity averse ---------------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
def test_inequity_averse_by_hand(jit):
  # A quarter of what was smoothed stays, so that w = (0, 1/2, 1) + (1, 0, 0) =
  # (1, 1/2, 1). Agents 0 and 2 are ahead of agent 1 by 1/2, which costs
  # 1/2 * 1/2 / 2 = 1/8 each; agent 1 is behind two by 1/2 each: 2 * 1 / 2 = 1.
  step = _inequity_averse if jit else ops.inequity_averse_reward
  options = {'alpha': 2, 'beta': 0.5, 'gamma': 0.5, 'lam': 0.5}
  shaped, smoothed = step(np.array([1, 0, 0]), np.array([0, 2, 4]), **options)
  np.testing.assert_allclose(smoothed, [1, 0.5, 1])
  np.testing.assert_allclose(shaped, [7 / 8, -1, -1 / 8])
  # Nobody gets anything in the next step: a quarter of the costs remains.
  shaped, smoothed = step(np.zeros(3), smoothed, **options)
  np.testing.assert_allclose(smoothed, [1 / 4, 1 / 8, 1 / 4])
  np.testing.assert_allclose(shaped, [-1 / 32, -1 / 4, -1 / 32])
  assert shaped.dtype == smoothed.dtype == jnp.float32


def _episode(rewards):
  """Shapes [T, ..., N] step by step, from nothing smoothed."""

  def step(smoothed, reward):
    shaped, smoothed = _inequity_averse(reward, smoothed, **_PUBLISHED)
    return smoothed, shaped

  return jax.lax.scan(step, jnp.zeros(rewards.shape[1:]), rewards)[1]


def test_inequity_averse_agrees_with_the_oracle_over_episodes():
  rewards = np.random.default_rng(0).normal(size=(T, B, N))
  shaped = _episode(rewards)
  mapped = jax.vmap(_episode, 1, 1)(rewards)
  np.testing.assert_allclose(shaped, mapped, rtol=1e-5, atol=1e-5)
  for b in range(B):
    expected = social_oracle.inequity_averse_rewards(
      rewards[:, b], **_PUBLISHED
    )
    np.testing.assert_allclose(shaped[:, b], expected, rtol=1e-4, atol=1e-4)


@_property
@hypothesis.given(_numbers, _numbers)
def test_equals_are_left_as_they_are(reward, smoothed):
  rewards = np.full(N, reward, np.float32)
  shaped, _ = _inequity_averse(rewards, np.full(N, smoothed), **_PUBLISHED)
  np.testing.assert_array_equal(shaped, rewards)


@_property
@hypothesis.given(_rewards, _rewards)
def test_inequity_never_raises_a_reward(rewards, smoothed):
  for weights in ({'alpha': 1.0, 'beta': 0.0}, {'alpha': 0.0, 'beta': 1.0}):
    options = {**_PUBLISHED, **weights}
    shaped, w = _inequity_averse(rewards, smoothed, **options)
    assert np.all(shaped <= rewards)
    # Only the last is not behind, and only the first not ahead.
    is_free = w == (w.max() if weights['alpha'] else w.min())
    np.testing.assert_array_equal(shaped[is_free], rewards[is_free])


def test_who_is_alone_compares_with_nobody():
  shaped, smoothed = _inequity_averse(
    np.ones((B, 1)), np.ones((B, 1)), **_PUBLISHED
  )
  np.testing.assert_array_equal(shaped, np.ones((B, 1)))
  np.testing.assert_allclose(smoothed, 1 + 0.99 * 0.975, rtol=1e-6)


def test_wrong_shapes_are_refused():
  with pytest.raises(AssertionError, match='smoothed must be'):
    ops.inequity_averse_reward(np.ones(N), np.ones(N - 1), **_PUBLISHED)
  with pytest.raises(AssertionError, match='rewards must be'):
    ops.inequity_averse_reward(np.ones(()), np.ones(()), **_PUBLISHED)
  with pytest.raises(AssertionError, match='rewards must be'):
    ops.prosocial_reward(1.0, 0.5)
