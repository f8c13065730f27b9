"""Properties of the communication measures, whatever is said and done."""

import functools

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import jax
import numpy as np
from oracles import social_oracle

from influence_acme import ops

T, N, M, A = 12, 3, 3, 4  # Rows, agents, symbols, actions.

_consistency = jax.jit(
  functools.partial(ops.speaker_consistency, num_symbols=M, num_actions=A)
)
_coordination = jax.jit(
  functools.partial(
    ops.instantaneous_coordination, num_sources=M, num_targets=A
  )
)


def _arrays(size):
  """Rows of numbers from -1 (nothing) to size - 1."""
  return hypothesis.extra.numpy.arrays(
    np.int32, (T, N), elements=st.integers(-1, size - 1)
  )


_masks = hypothesis.extra.numpy.arrays(bool, (T - 1, N))
_orders = st.permutations(range(N)).map(np.array)
_property = hypothesis.settings(deadline=None, max_examples=60)


@_property
@hypothesis.given(_arrays(M), _arrays(A), _orders, st.permutations(range(M)))
def test_speaker_consistency(messages, actions, order, names):
  score = _consistency(messages, actions)
  assert 0 <= score <= 1
  expected = social_oracle.speaker_consistency(
    messages, actions, num_symbols=M, num_actions=A
  )
  np.testing.assert_allclose(score, expected, atol=1e-5)
  # Neither the agents' order nor the symbols' names matter; -1 is no name.
  renamed = np.array([*names, -1])[messages]
  again = _consistency(renamed[:, order], actions[:, order])
  np.testing.assert_allclose(again, score, atol=1e-5)


@_property
@hypothesis.given(_arrays(M), st.permutations(range(A)))
def test_who_translates_one_to_one_is_consistent(messages, translation):
  actions = np.array([*translation[:M], -1])[messages]
  expected = float(np.any(messages >= 0))
  np.testing.assert_allclose(
    _consistency(messages, actions), expected, atol=1e-6
  )


@_property
@hypothesis.given(_arrays(M), _arrays(A), _masks, _orders)
def test_instantaneous_coordination(sources, targets, mask, order):
  output = _coordination(sources, targets, mask=mask)
  expected = social_oracle.instantaneous_coordination(sources, targets, mask)
  np.testing.assert_allclose(output.pairs, expected, atol=1e-5)
  assert np.all(output.pairs >= 0)
  assert np.all(output.pairs <= np.log(min(M, A)) + 1e-5)
  np.testing.assert_array_equal(np.diagonal(output.pairs), 0)
  assert output.max == output.pairs.max()
  again = _coordination(
    sources[:, order], targets[:, order], mask=mask[:, order]
  )
  np.testing.assert_allclose(
    again.pairs, output.pairs[order][:, order], atol=1e-5
  )
  # A masked step is as good as silence.
  silent = sources.copy()
  silent[:-1][~mask] = -1
  np.testing.assert_allclose(
    _coordination(silent, targets).pairs, output.pairs, atol=1e-6
  )


def test_independent_speakers_are_not_consistent():
  rng = np.random.default_rng(0)
  messages = rng.integers(M, size=(20_000, N))
  actions = rng.integers(A, size=(20_000, N))
  assert _consistency(messages, actions) < 1e-3


def test_scrambled_messages_are_the_control():
  # Agents copy what agent 0 said. With its rows shuffled nothing is left but
  # what counting n pairs yields in expectation, (M - 1) (M - 1) / 2n for each.
  rng = np.random.default_rng(0)
  num_rows, num_shuffles = 201, 200
  messages = rng.integers(M, size=(num_rows, N))
  actions = np.roll(messages[:, :1], 1, axis=0).repeat(N, axis=1)
  heard = _coordination(messages, actions)
  np.testing.assert_allclose(heard.pairs[0, 1:], np.log(M), rtol=0.02)

  scrambled = np.stack([rng.permutation(messages) for _ in range(num_shuffles)])
  control = jax.vmap(_coordination, (0, None))(scrambled, actions)
  expected = (M - 1) ** 2 / (2 * (num_rows - 1)) * (1 - np.eye(N))
  np.testing.assert_allclose(control.pairs.mean(0), expected, atol=2e-3)
  assert control.max.max() < 0.1 < heard.max


def test_under_vmap():
  rng = np.random.default_rng(0)
  sources = rng.integers(-1, M, size=(4, T, N))
  targets = rng.integers(-1, A, size=(4, T, N))
  mask = rng.random((4, T - 1, N)) < 0.7
  scores = jax.vmap(_consistency)(sources, targets)
  output = jax.vmap(lambda s, t, m: _coordination(s, t, mask=m))(
    sources, targets, mask
  )
  for b in range(4):
    np.testing.assert_allclose(
      scores[b], _consistency(sources[b], targets[b]), rtol=1e-5
    )
    one = _coordination(sources[b], targets[b], mask=mask[b])
    np.testing.assert_allclose(output.pairs[b], one.pairs, atol=1e-6)
    np.testing.assert_allclose(output.max[b], one.max, atol=1e-6)
