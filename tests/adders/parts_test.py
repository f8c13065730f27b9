"""Tests of what happens to one step's reward, extras and weight."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acme import specs

from influence_acme.adders import InfluenceAdder, parts

SCALAR = specs.Array((), np.float32)
F32, F64 = np.float32, np.float64


class State(NamedTuple):
  hidden: Any
  cell: Any


# Reward and influence.

REWARDS = {
  'float32': (F32(1), F32(2), F32(2)),
  'float64': (F64(1), F32(2), F64(2)),
  'python': (1.0, F32(2), F64(2)),
  'python influence': (F32(1), 2, F32(2)),
  'float16': (np.float16(1), F32(2), np.float16(2)),
  'jax': (jnp.float32(1), jnp.float32(2), F32(2)),
  'agents': (np.array([1, 2], F32), np.array([2, -4], F32),
             np.array([2, 0], F32)),
  'agents, float64': (np.array([1, 2], F64), np.array([2, -4], F32),
                      np.array([2, 0], F64)),
  'dict': ({'b': 1.0, 'a': np.ones(2, F32)},
           {'a': np.zeros(2, F32), 'b': F32(2)},
           {'b': F64(2), 'a': np.ones(2, F32)}),
  'tuple': ((1.0, 2.0), (F32(2), F32(-2)), (F64(2), F64(1))),
}  # fmt: skip


@pytest.mark.parametrize(
  'extrinsic, influence, expected', REWARDS.values(), ids=REWARDS
)
def test_a_reward_keeps_its_tree_and_dtype(extrinsic, influence, expected):
  influence = parts.like_reward(influence, extrinsic)
  reward = parts.weighted_sum(extrinsic, influence, 0.5)
  chex.assert_trees_all_equal_structs(reward, expected)
  chex.assert_trees_all_equal(reward, expected)

  def check_dtype(c, r, e):
    assert (c.dtype, r.dtype) == (np.float32, e.dtype)

  jax.tree_util.tree_map(check_dtype, influence, reward, expected)


def test_a_weight_for_each_entry_of_the_reward():
  weight = parts.weight_fn(lambda steps: np.array([2.0, steps]), lambda: 0)()
  reward = parts.weighted_sum(np.ones(2, F32), np.full(2, 3, F32), weight)
  np.testing.assert_array_equal(reward, [7, 1])
  assert reward.dtype == np.float32
  with pytest.raises(ValueError, match=r'like the reward, \(3,\), got \(2,\)'):
    parts.weighted_sum(np.ones(3, F32), np.ones(3, F32), weight)


def test_arguments_are_not_changed():
  extrinsic, influence = np.ones(2, F32), np.ones(2, F32)
  reward = parts.weighted_sum(extrinsic, influence, 3.0)
  reward += 1
  np.testing.assert_array_equal(extrinsic, [1, 1])
  np.testing.assert_array_equal(influence, [1, 1])


@pytest.mark.parametrize(
  'reward, influence, message',
  [
    (1.0, F32('nan'), 'finite numbers, got nan. Look for NaN'),
    (1.0, F32('-inf'), 'finite numbers, got -inf'),
    (np.ones(2), np.array([0, np.nan]), r'finite numbers, got \[ 0. nan\]'),
    (1.0, None, 'a tree like the reward'),
    (1.0, np.ones(1), r'shaped like the reward, \(\), got \(1,\)'),
    (np.ones(5), 1.0, r'shaped like the reward, \(5,\), got \(\)'),
    (np.ones(5), np.ones(4), r'shaped like the reward, \(5,\), got \(4,\)'),
    ({'a': 1.0}, 1.0, 'a tree like the reward'),
    ({'a': 1.0}, {'b': 1.0}, 'a tree like the reward'),
    ((1.0, 2.0), np.ones(2), 'a tree like the reward'),
  ],
)
def test_influence_that_cannot_be_added(reward, influence, message):
  with pytest.raises(ValueError, match=message):
    parts.like_reward(influence, reward)


@pytest.mark.parametrize('reward', [1, np.int32(1), True, np.ones(3, int)])
def test_a_reward_that_cannot_hold_influence(reward):
  zeros = np.zeros(np.shape(reward), F32)
  with pytest.raises(ValueError, match='floating-point, got .*reward_spec'):
    parts.weighted_sum(reward, zeros, 1.0)


# Extras and their spec.


@pytest.mark.parametrize('extras', [None, (), {}], ids=str)
def test_no_extras_become_a_dict_of_the_parts(extras):
  expected = {'extrinsic': 1, 'influence': 2}
  assert parts.with_parts(extras, 1, 2) == expected


def test_extras_are_kept_and_inputs_are_not():
  extras = {'core': State(1, 2), 'influence_inputs': {'mask': 3}}
  rest = parts.without_inputs(extras)
  assert rest == {'core': State(1, 2)}
  assert parts.with_parts(rest, 4, 5) == {
    'core': State(1, 2),
    'extrinsic': 4,
    'influence': 5,
  }
  assert list(extras) == ['core', 'influence_inputs']  # The caller's own.
  assert list(rest) == ['core']


@pytest.mark.parametrize(
  'extras', [None, (), {'a': 1}, State(1, 2), np.ones(2)], ids=str
)
def test_extras_without_inputs_are_left_alone(extras):
  assert parts.without_inputs(extras) is extras


@pytest.mark.parametrize(
  'extras, message',
  [
    ([np.ones(2)], 'got list. Put them into a dict'),
    (State(1, 2), 'got State.*keep_parts=False'),
    (np.ones(2), 'got ndarray'),
    ({'influence': 1}, "'influence' already.*keep_parts=False"),
    ({'extrinsic': 1}, "'extrinsic' already"),
  ],
)
def test_extras_that_cannot_take_the_parts(extras, message):
  with pytest.raises(ValueError, match=message):
    parts.with_parts(extras, 1, 2)
  with pytest.raises(ValueError, match=message):
    InfluenceAdder.extras_spec(extras)


def test_extras_spec():
  core = {'core': State(specs.Array((2,), np.float32), SCALAR)}
  spec = InfluenceAdder.extras_spec({**core, 'influence_inputs': SCALAR})
  assert spec == {**core, 'extrinsic': SCALAR, 'influence': SCALAR}
  assert InfluenceAdder.extras_spec(None) == InfluenceAdder.extras_spec(())
  rewards = {'act': specs.Array((5,), np.float64), 'speak': SCALAR}
  part = {'act': specs.Array((5,), np.float32), 'speak': SCALAR}
  assert InfluenceAdder.extras_spec((), rewards) == {
    'extrinsic': part,
    'influence': part,
  }


# Weights.


def test_a_constant_weight_needs_no_steps():
  assert parts.weight_fn(0.5, None)() == 0.5


def test_a_schedule_is_computed_once_for_each_count():
  steps: list = [0]
  asked = []

  def schedule(step):
    asked.append(step)
    return jnp.minimum(step / 4, 1.0)  # As optax's schedules do.

  weight = parts.weight_fn(schedule, lambda: steps[0])
  weights = []
  for count in (0, 0, np.int64(2), np.array(2), 8):
    steps[0] = count
    weights.append(weight())
  assert weights == [0, 0, 0.5, 0.5, 1]
  assert asked == [0, 2, 8]


@pytest.mark.parametrize('weight', [np.nan, np.inf, None, 'high', [1, np.nan]])
def test_a_weight_must_be_finite(weight):
  with pytest.raises(ValueError, match='weight must be a finite number'):
    parts.weight_fn(weight, None)
  scheduled = parts.weight_fn(lambda _: weight, lambda: 0)
  with pytest.raises(ValueError, match='weight must be a finite number'):
    scheduled()


def test_a_schedule_needs_steps():
  with pytest.raises(ValueError, match='steps_fn must be given'):
    parts.weight_fn(lambda steps: 1.0, None)
