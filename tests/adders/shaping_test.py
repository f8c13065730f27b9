"""ShapingAdder on a real Reverb server, against rows known by hand.

The script's rewards 1, 2, 4 become 10 and once more what came before: 11, 13
and 17 with sums 1, 3, 7 of the episode so far. Influence is 1 nat, weighs a
half, comes on top, and is no part of the sums.
"""

import pickle

import dm_env
import numpy as np
import pytest
from acme import specs
from acme.adders import reverb as adders

from influence_acme.adders import InfluenceAdder, ShapingAdder

REWARDS, SHAPED = [1.0, 2.0, 4.0], [11.0, 13.0, 17.0]
SCALAR = specs.Array((), np.float32)


def sum_so_far(reward, state):
  state = state + reward
  return np.float64(10 + state), state


def play(adder, stop=3):
  """Plays the script, or its first `stop` steps; returns its timesteps."""
  one = np.float32(1)
  adder.add_first(dm_env.restart(np.float32(0)))
  timesteps = []
  for t in range(stop):
    step = dm_env.transition(np.float32(REWARDS[t]), np.float32(t + 1), one)
    if t == 2:
      step = step._replace(step_type=dm_env.StepType.LAST)
    adder.add(np.int32(t), step, {'influence_inputs': np.float32(1)})
    timesteps.append(step)
  return timesteps


@pytest.fixture
def replay(make_replay):
  spec = specs.EnvironmentSpec(
    SCALAR, specs.Array((), np.int32), SCALAR, SCALAR
  )
  extras = InfluenceAdder.extras_spec(())
  return make_replay(adders.SequenceAdder.signature(spec, extras))


@pytest.fixture
def adder(replay):
  """Shapes rewards within an adder that keeps them as they were."""
  inner = adders.SequenceAdder(
    replay.client,
    4,
    4,
    end_of_episode_behavior=adders.EndBehavior.TRUNCATE,
  )
  shaping = ShapingAdder(inner, sum_so_far, np.float32(0))
  return InfluenceAdder(
    shaping, lambda step, _: step.extras['influence_inputs'], weight=0.5
  )


def check(items, count):
  assert len(items) == count
  for item in items:
    paid = [x + 0.5 for x in SHAPED]
    np.testing.assert_array_equal(item.reward, [*paid, 0])
    np.testing.assert_array_equal(item.extras['extrinsic'], [*REWARDS, 0])


def test_rewards_are_shaped_and_every_episode_begins_anew(replay, adder):
  for _ in range(2):
    play(adder)
  check(replay.items(), 2)


def test_the_callers_timesteps_are_not_changed(adder):
  assert [step.reward for step in play(adder)] == REWARDS


def test_an_episode_that_is_given_up_is_forgotten(replay, adder):
  play(adder, stop=2)
  adder.reset()
  play(adder)
  check(replay.items()[-1:], 1)


def test_the_reward_keeps_its_dtype(replay, adder):
  play(adder)
  assert replay.items()[0].reward.dtype == np.float32


def test_what_else_the_inner_adder_offers():
  class Inner:
    offered = 3

  adder = ShapingAdder(Inner(), sum_so_far, 0)
  assert adder.offered == 3
  with pytest.raises(AttributeError):
    _ = pickle.loads(pickle.dumps(ShapingAdder.__new__(ShapingAdder))).offered
