"""Influence reaches the inner learner whatever the reward's dtype, or raises.

By the function of the influence adder: both doors treat a dtype alike.
"""

from typing import Any, NamedTuple

import dm_env
import numpy as np
import pytest
from acme import specs
from acme.utils import counting

from influence_acme import adders
from influence_acme.adders import parts
from influence_acme.agents import intrinsic
from influence_acme.agents.intrinsic import learning, training
from influence_acme.multiagent import recording

CONFIG = intrinsic.MOAConfig(
  own_index=0, num_agents=2, num_actions=3, view_shape=(5, 5, 3)
)
INFLUENCE = np.array([[0.25, 0.5, 0.125]], np.float32)


class Data(NamedTuple):
  reward: Any
  extras: Any = ()


class Sample(NamedTuple):
  data: Data


def paid(reward, weight=2.0):
  """Returns the reward that an inner learner gets."""
  output = training.UpdateOutput(INFLUENCE, np.bool_(True), {})
  state = training.TrainingState((), ())
  moa = training.CompiledMOA(lambda key: state, lambda *_: (state, output))
  samples = learning.InfluencedSamples(
    iter([Sample(Data(reward))]), moa, None, lambda: weight, None
  )
  return next(samples).data.reward


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_floats_get_influence_in_their_dtype(dtype):
  reward = paid(np.ones((1, 3), dtype))
  assert reward.dtype == dtype
  np.testing.assert_array_equal(reward, [[1.5, 2.0, 1.25]])


@pytest.mark.parametrize('dtype', [np.int32, np.int64, np.uint8, bool])
@pytest.mark.parametrize('weight', [0.0, 2.0])
def test_integers_are_refused_by_name_at_both_doors(dtype, weight):
  message = f'must be floating-point, got {np.dtype(dtype)}'
  reward = np.ones((1, 3), dtype)
  with pytest.raises(ValueError, match=message):
    paid(reward, weight)
  with pytest.raises(ValueError, match=message):
    parts.weighted_sum(reward, INFLUENCE, weight)
  adder = adders.ShapingAdder(
    recording.RecordingAdder(), lambda r, state: (r * 0.5, state), ()
  )
  with pytest.raises(ValueError, match=message):
    adder.add(0, dm_env.transition(dtype(1), None))


def test_integers_are_refused_before_there_is_a_table():
  builder = intrinsic.InfluenceLearnerBuilder(object(), moa_config=CONFIG)
  spec = specs.EnvironmentSpec(
    None, None, specs.Array((), np.int32), specs.Array((), np.float32)
  )
  with pytest.raises(ValueError, match='must be floating-point, got int32'):
    builder.make_replay_tables(spec)


def test_a_curriculum_needs_a_counter():
  rising = intrinsic.MOAConfig(
    own_index=0,
    num_agents=2,
    num_actions=3,
    view_shape=(5, 5, 3),
    influence_weight=0.5,
    influence_curriculum_steps=1000,
  )
  with pytest.raises(ValueError, match="counter is None.*'actor'"):
    learning.make_weight_fn(rising, None)()
  assert learning.make_weight_fn(CONFIG, None)() == CONFIG.influence_weight
  counter = counting.Counter()
  weight = learning.make_weight_fn(rising, counter)
  assert weight() == 0
  counter.increment(actor_steps=400, actor_episodes=2)
  assert weight() == 0.2
