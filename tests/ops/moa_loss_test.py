"""Tests of the loss of a model of other agents."""

import functools

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import influence_oracle

from influence_acme import ops

INF = np.inf
T, B, J, A = 6, 3, 2, 5  # The sizes of most tests; no two are equal.

_moa_loss = jax.jit(ops.moa_loss)
_episode_masks = jax.jit(ops.episode_masks)


def _random_arguments(seed=0, shape=(T, B, J)):
  rng = np.random.default_rng(seed)
  logits = rng.normal(size=(*shape, A)).astype(np.float32) * 3
  return logits, rng.integers(A, size=shape)


def _random_masks(seed=0, shape=(T, B, J)):
  rng = np.random.default_rng(seed)
  return {
    'mask': rng.random(shape) < 0.6,
    'episode_mask': rng.random(shape[:-1]) < 0.6,
  }


# --- Numbers by hand ---------------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
def test_loss_by_hand(jit):
  # Two others do, row by row, (0, 1), (1, 1), (0, 0). What was predicted for
  # the next row, as probabilities of actions 0 and 1, and what was done:
  #   row 0: first  (1/4, 3/4), 1: log 4/3;  second (1/2, 1/2), 1: log 2
  #   row 1: first  (1/3, 2/3), 0: log 3;    second (3/4, 1/4), 0: log 4/3
  #   row 2: predicts what nobody knows.
  # The likeliest action was taken by the first in row 0 and the second in row
  # 1. (The draw of the second in row 0 goes to the lower action; it did 1.)
  probs = [[[1, 3], [1, 1]], [[1, 2], [3, 1]], [[1, 0], [1, 0]]]
  with np.errstate(divide='ignore'):
    logits = np.log(np.array(probs))  # Not normalised.
  actions = np.array([[0, 1], [1, 1], [0, 0]])
  moa_loss = _moa_loss if jit else ops.moa_loss
  output = moa_loss(logits, actions)
  expected = np.log([[4 / 3, 2], [3, 4 / 3]])
  np.testing.assert_allclose(output.cross_entropy, expected, rtol=1e-6)
  np.testing.assert_array_equal(output.weight, np.ones((2, 2)))
  np.testing.assert_allclose(output.loss, expected.mean(), rtol=1e-6)
  np.testing.assert_allclose(output.accuracy, 2 / 4)
  # Each does either action once: log 2 is what frequencies leave open.
  skill = ops.moa_skill(output, actions, num_actions=2)
  np.testing.assert_allclose(skill, np.log(2) - expected.mean(), rtol=1e-5)

  # Only the first is seen in row 0, only the second in row 1.
  output = moa_loss(logits, actions, mask=np.array([[1, 0], [0, 1], [1, 1]]))
  np.testing.assert_array_equal(output.weight, [[1, 0], [0, 1]])
  np.testing.assert_allclose(output.cross_entropy, expected, rtol=1e-6)
  np.testing.assert_allclose(output.loss, np.log(4 / 3), rtol=1e-6)
  np.testing.assert_allclose(output.accuracy, 1)
  # Of each one action is seen, which frequencies alone would foretell.
  skill = ops.moa_skill(output, actions, num_actions=2)
  np.testing.assert_allclose(skill, -np.log(4 / 3), rtol=1e-5)

  # Row 0 is the end of an episode.
  output = moa_loss(logits, actions, episode_mask=np.array([0, 1, 0]))
  np.testing.assert_array_equal(output.weight, [[0, 0], [1, 1]])
  np.testing.assert_allclose(output.loss, np.log(4) / 2, rtol=1e-6)
  np.testing.assert_allclose(output.accuracy, 1 / 2)


def test_gradient_by_hand():
  # d(cross-entropy)/d(logits) is softmax - one_hot, here (1/4, 3/4) - (0, 1).
  # Two predictions count, so each has half of it; the last row has none.
  logits = jnp.log(jnp.array([[[1.0, 3.0]]] * 3))
  actions = np.array([[0], [1], [1]])
  gradient = jax.grad(lambda x: _moa_loss(x, actions).loss)(logits)
  expected = np.array([[[1, -1]], [[1, -1]], [[0, 0]]]) / 8
  np.testing.assert_allclose(gradient, expected, atol=1e-6)


# --- The oracle, and the ways to call ----------------------------------------


@pytest.mark.parametrize('masked', (False, True))
@pytest.mark.parametrize('shape', ((T, J), (T, B, J), (2, B, 1), (T, 2, B, J)))
def test_agrees_with_oracle(shape, masked):
  arguments = _random_arguments(1, shape)
  masks = _random_masks(1, shape) if masked else {}
  output = _moa_loss(*arguments, **masks)
  loss, accuracy = influence_oracle.moa_loss(*arguments, **masks)
  np.testing.assert_allclose(output.loss, loss, rtol=1e-5)
  np.testing.assert_allclose(output.accuracy, accuracy, rtol=1e-6)
  assert output.cross_entropy.shape == (shape[0] - 1, *shape[1:])
  assert output.weight.shape == (shape[0] - 1, *shape[1:])


@pytest.mark.parametrize('scale', (1, 1e-3))  # The second adds up to < 1.
def test_fractional_weights_agree_with_oracle(scale):
  arguments = _random_arguments()
  rng = np.random.default_rng(0)
  masks = {
    'mask': scale * rng.random((T, B, J)),
    'episode_mask': rng.random((T, B)),
  }
  output = _moa_loss(*arguments, **masks)
  loss, accuracy = influence_oracle.moa_loss(*arguments, **masks)
  np.testing.assert_allclose(output.loss, loss, rtol=1e-5)
  np.testing.assert_allclose(output.accuracy, accuracy, rtol=1e-5)


def test_vmap_over_agents_equals_one_by_one():
  logits, actions = _random_arguments(shape=(4, T, B, J))
  masks = _random_masks(shape=(4, T, B, J))
  mapped = jax.jit(jax.vmap(ops.moa_loss))(logits, actions, **masks)
  for i in range(4):
    expected = _moa_loss(
      logits[i], actions[i], **{name: mask[i] for name, mask in masks.items()}
    )
    got = ops.MOALoss(*(field[i] for field in mapped))
    chex.assert_trees_all_close(got, expected, atol=1e-6)


def test_compiles_once():
  chex.clear_trace_counter()
  moa_loss = jax.jit(chex.assert_max_traces(ops.moa_loss, n=1))
  for seed in range(3):
    moa_loss(*_random_arguments(seed), **_random_masks(seed))


@pytest.mark.parametrize('dtype', (jnp.bfloat16, np.float64))
def test_any_float_gives_float32(dtype):
  logits, actions = _random_arguments()
  logits = np.asarray(jnp.asarray(logits, jnp.bfloat16), jnp.dtype(dtype))
  output = _moa_loss(logits, actions)
  chex.assert_type(list(output), jnp.float32)
  expected = _moa_loss(np.asarray(logits, np.float32), actions)
  chex.assert_trees_all_close(output, expected, rtol=1e-6)


def test_one_row_predicts_nothing():
  output = _moa_loss(*_random_arguments(shape=(1, B, J)))
  assert output.loss == output.accuracy == 0
  assert output.weight.shape == (0, B, J)


# --- Masks, impossible actions, NaN ------------------------------------------


def test_nothing_counts():
  output = _moa_loss(*_random_arguments(), mask=np.zeros((T, B, J), bool))
  assert output.loss == output.accuracy == 0


@pytest.mark.parametrize('broken', (np.nan, -INF, INF))
def test_what_has_no_weight_counts_nothing_even_if_broken(broken):
  logits, actions = _random_arguments()
  mask = np.ones((T, B, J), bool)
  mask[1, 2, 0] = mask[3, 0, 1] = False
  value_and_gradient = jax.value_and_grad(
    lambda logits: _moa_loss(logits, actions, mask=mask).loss
  )
  loss, gradient = value_and_gradient(logits)
  logits[1, 2, 0] = broken
  logits[3, 0, 1, 2] = broken
  logits[-1] = broken  # The last row predicts what nobody knows.
  hurt_loss, hurt_gradient = value_and_gradient(logits)
  np.testing.assert_allclose(hurt_loss, loss, rtol=1e-6)
  np.testing.assert_allclose(hurt_gradient, gradient, atol=1e-7)
  np.testing.assert_array_equal(hurt_gradient[~mask], 0)
  np.testing.assert_array_equal(hurt_gradient[-1], 0)


def test_nan_that_counts_shows_where_it_is():
  logits, actions = _random_arguments()
  logits[2, 1, 0, 3] = np.nan
  output = _moa_loss(logits, actions)
  assert np.isnan(output.loss)
  assert np.isnan(output.accuracy)
  assert np.argwhere(np.isnan(output.cross_entropy)).tolist() == [[2, 1, 0]]


def test_impossible_actions():
  # Known not to be taken: no NaN in loss or gradient. Taken: infinite loss.
  logits = jnp.array([[[0.0, 0.0, -INF]]] * 2)

  def loss(logits, action):
    return _moa_loss(logits, jnp.full((2, 1), action)).loss

  value, gradient = jax.value_and_grad(loss)(logits, 0)
  np.testing.assert_allclose(value, np.log(2), rtol=1e-6)
  np.testing.assert_allclose(gradient[0], [[-1 / 2, 1 / 2, 0]], rtol=1e-6)
  assert loss(logits, 2) == INF


@pytest.mark.parametrize('absent', (-1, A))
def test_an_action_out_of_range_is_nan_unless_masked(absent):
  logits, actions = _random_arguments()
  actions[3, 1, 1] = absent
  output = _moa_loss(logits, actions)
  assert np.argwhere(np.isnan(output.cross_entropy)).tolist() == [[2, 1, 1]]
  mask = np.ones((T, B, J), bool)
  mask[2, 1, 1] = False
  assert np.isfinite(_moa_loss(logits, actions, mask=mask).loss)


@pytest.mark.parametrize(
  ('change', 'message'),
  (
    ({'logits': np.zeros((J, A))}, 'logits'),
    ({'actions': np.zeros((T, J), int)}, 'actions'),
    ({'actions': np.zeros((T - 1, B, J), int)}, 'actions'),
    ({'actions': np.zeros((T, B, J))}, 'type'),
    ({'mask': np.ones((T, B), bool)}, 'mask'),
    ({'mask': np.ones((T - 1, B, J), bool)}, 'mask'),
    ({'episode_mask': np.ones((T, B, J))}, 'episode_mask'),
  ),
)
def test_wrong_shapes_and_types_are_refused(change, message):
  logits, actions = _random_arguments()
  arguments = {'logits': logits, 'actions': actions, **_random_masks()}
  _moa_loss(**arguments)
  with pytest.raises(AssertionError, match=message):
    ops.moa_loss(**{**arguments, **change})


# --- Episodes ----------------------------------------------------------------


@pytest.mark.parametrize(
  ('start', 'is_padding', 'episode_mask'),
  (
    # One episode of three steps and its last observation, then another.
    ('1000100', '0001000', '1100100'),
    # The sequence begins in mid-episode, and on a last observation.
    ('0010000', '0100000', '0011100'),
    ('0100000', '1000000', '0111100'),
    # It ends on a last observation (which cannot be known), and on the row
    # after one.
    ('1000000', '0000000', '1111100'),
    ('1000001', '0000010', '1111000'),
    # An episode of one step: nothing is learned from it.
    ('1010000', '0100000', '0011100'),
    # Too short to know of two steps.
    ('1', '0', '0'),
    ('10', '00', '00'),
    ('100', '000', '100'),
  ),
)
def test_episode_masks_by_hand(start, is_padding, episode_mask):
  start, is_padding, episode_mask = (
    np.array([int(x) for x in row]) for row in (start, is_padding, episode_mask)
  )
  masks = _episode_masks(start.astype(bool))
  chex.assert_type(masks.is_padding, bool)
  chex.assert_type(masks.episode_mask, jnp.float32)
  np.testing.assert_array_equal(masks.is_padding, is_padding)
  np.testing.assert_array_equal(masks.episode_mask, episode_mask)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_episode_masks_agree_with_oracle(start):
  start = np.array(start).reshape(6, 2)  # [T, B]
  masks = _episode_masks(start)
  for b in range(2):
    expected = influence_oracle.episode_masks(start[:, b])
    np.testing.assert_array_equal(masks.episode_mask[:, b], expected)


def test_a_model_of_two_episodes_learns_nothing_across_their_border():
  # In an episode all always do as the row before. Rows 0-2 are steps with
  # action 1, row 3 is the last observation (action 0), rows 4-6 have action 2.
  actions = np.array([1, 1, 1, 0, 2, 2, 2])[:, None]
  start = np.array([1, 0, 0, 0, 1, 0, 0], bool)
  logits = np.where(np.eye(A)[actions] == 1, 0, -INF)
  loss = functools.partial(_moa_loss, logits, actions)
  assert loss().loss == INF
  masked = loss(episode_mask=ops.episode_masks(start).episode_mask)
  assert masked.loss == 0
  assert masked.accuracy == 1
  np.testing.assert_array_equal(masked.weight[:, 0], [1, 1, 0, 0, 1, 0])


def test_skill_agrees_with_a_slow_count():
  logits, actions = _random_arguments(seed=5)
  output = _moa_loss(logits, actions, **_random_masks(seed=5))
  weight = np.asarray(output.weight)
  left_open = 0.0
  for j in range(J):
    of_other = weight[..., j]
    for action in range(A):
      number = of_other[actions[1:, :, j] == action].sum()
      if number:
        left_open -= number * np.log(number / of_other.sum())
  expected = left_open / weight.sum() - output.loss
  skill = ops.moa_skill(output, actions, num_actions=A)
  np.testing.assert_allclose(skill, expected, rtol=1e-5)


def test_skill_of_nothing_is_zero():
  logits, actions = _random_arguments()
  output = _moa_loss(logits, actions, mask=np.zeros((T, B, J)))
  assert ops.moa_skill(output, actions, num_actions=A) == 0
