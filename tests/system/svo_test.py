"""Social value orientation: numbers derived by hand, and the variant."""

import math

import jax
import numpy as np

from influence_acme.system import config as config_lib
from influence_acme.system import reward_shaping, svo


def test_a_hand_derived_case():
  # Rewards 1, 0, 0: the others of agent 0 have a mean of 0, so that its angle
  # is atan2(0, 1) = 0; those of the others 1/2, angle atan2(1/2, 0) = pi / 2.
  # At a target of pi / 4 all are pi / 4 away: 0.1 * 3 * pi / 4 less each.
  shaped = svo.svo_reward(
    np.array([1.0, 0.0, 0.0]), target=math.pi / 4, weight=0.1
  )
  less = 0.1 * 3 * math.pi / 4
  np.testing.assert_allclose(shaped, [1 - less, -less, -less], rtol=1e-6)


def test_equal_rewards_are_left_alone_by_a_prosocial_target():
  rewards = np.full((4, 5), 2.0)
  shaped = svo.svo_reward(rewards, target=math.pi / 4, weight=3.0)
  np.testing.assert_allclose(shaped, rewards, rtol=1e-6)


def test_it_equals_a_slow_oracle():
  rewards = np.random.default_rng(0).normal(size=(6, 4))
  shaped = svo.svo_reward(rewards, target=0.3, weight=0.2)
  for row, expected in zip(rewards, shaped, strict=True):
    for k in range(4):
      others = [row[i] for i in range(4) if i != k]
      angle = math.atan2(sum(others) / 3, row[k])
      own = row[k] - 0.2 * 4 * abs(angle - 0.3)
      np.testing.assert_allclose(expected[k], own, rtol=1e-5)


def test_only_its_agents_are_shaped():
  config = config_lib.InfluenceConfig(
    variant=('svo', 'baseline', 'prosocial'),
    svo_weight=1.0,
    svo_target=0.0,
    prosocial_weight=0.5,
  )
  shape_fn = reward_shaping.make_shape_fn(config)
  assert shape_fn is not None
  shape = jax.jit(shape_fn)
  rewards = np.array([1.0, 2.0, 4.0], np.float32)
  shaped, smoothed = shape(rewards, np.zeros(3, np.float32))
  first = 1 - 3 * math.atan2(3.0, 1.0)
  np.testing.assert_allclose(shaped, [first, 2.0, 4 + 0.5 * 3], rtol=1e-6)
  np.testing.assert_array_equal(smoothed, 0.0)
