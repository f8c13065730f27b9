import stock_agents

# isort: split

import math
import types

import acme
import numpy as np
import pytest
from dm_env import specs

from influence_acme.agents import intrinsic
from influence_acme.agents.intrinsic import config as config_lib


def _config(**settings):
  defaults = {
    'own_index': 0,
    'num_agents': 2,
    'num_actions': 3,
    'view_shape': (5, 5, 3),
  }
  return intrinsic.MOAConfig(**{**defaults, **settings})


def test_the_environment_gives_the_shapes():
  spec = acme.make_environment_spec(stock_agents.make_environment())
  config = intrinsic.MOAConfig.of(spec, 0, hidden_size=4)
  expected = intrinsic.MOAConfig(
    own_index=0,
    num_agents=3,
    num_actions=stock_agents.NUM_ACTIONS,
    view_shape=(5, 5, 3),
    hidden_size=4,
  )
  assert config == expected
  assert hash(config) == hash(expected)


def test_an_environment_of_vectors_gives_their_length():
  spec = acme.make_environment_spec(stock_agents.make_environment())
  vector = specs.Array((6,), np.float32)
  spec = spec._replace(observations={**spec.observations, 'world': vector})
  assert intrinsic.MOAConfig.of(spec, 0).view_shape == (6,)


def test_an_observation_of_another_dtype_is_refused():
  spec = acme.make_environment_spec(stock_agents.make_environment())
  floats = specs.Array((5, 5, 3), np.float32)
  spec = spec._replace(observations={**spec.observations, 'world': floats})
  with pytest.raises(ValueError, match=r"'world' is float32 \(5, 5, 3\)"):
    intrinsic.MOAConfig.of(spec, 0)


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('own_index', -1),
    ('own_index', 2),
    ('num_agents', 1),
    ('num_agents', 2.0),
    ('num_actions', 0),
    ('view_shape', (5, 5)),
    ('view_shape', (2, 5, 3)),
    ('view_shape', (0,)),
    ('view_shape', 5),
    ('hidden_size', 0),
    ('hidden_size', True),
    ('influence_measure', 'mi'),
    ('influence_weight', -0.1),
    ('influence_weight', math.nan),
    ('influence_weight', math.inf),
    ('influence_curriculum_steps', -1),
    ('moa_only_visible', 1),
    ('burn_in_length', -1),
    ('learning_rate', 0.0),
    ('adam_epsilon', '1e-5'),
    ('max_gradient_norm', 0),
  ],
)
def test_what_is_out_of_range_is_named(name, value):
  with pytest.raises(ValueError, match=f'{name} is .*: it must be '):
    _config(**{name: value})


@pytest.mark.parametrize(
  ('steps', 'weight'), [(0, 0.0), (25, 0.1), (100, 0.4), (1000, 0.4)]
)
def test_the_weight_rises_linearly(steps, weight):
  config = _config(influence_weight=0.4, influence_curriculum_steps=100)
  assert config_lib.influence_weight(config, steps) == pytest.approx(weight)


def test_without_a_curriculum_the_weight_is_there_at_once():
  assert config_lib.influence_weight(_config(influence_weight=0.4), 0) == 0.4


@pytest.mark.parametrize('name', ['world', 'actions', 'visible'])
def test_an_entry_that_is_missing_is_named(name):
  spec = acme.make_environment_spec(stock_agents.make_environment())
  observations = dict(spec.observations)
  del observations[name]
  with pytest.raises(ValueError, match=f'must be a dict .*{name}'):
    intrinsic.MOAConfig.of(spec._replace(observations=observations), 0)


def test_actions_must_be_discrete():
  spec = acme.make_environment_spec(stock_agents.make_environment())
  continuous = specs.BoundedArray((2,), np.float32, -1, 1)
  with pytest.raises(ValueError, match='actions are .*must be a DiscreteArray'):
    intrinsic.MOAConfig.of(spec._replace(actions=continuous), 0)


def test_burn_in_is_that_of_the_inner_agent():
  class Inner:
    _config = types.SimpleNamespace(burn_in_length=40)

  with pytest.raises(ValueError, match='burn_in_length is 2 .*must be 40'):
    intrinsic.InfluenceLearnerBuilder(
      Inner(), moa_config=_config(burn_in_length=2)
    )
  intrinsic.InfluenceLearnerBuilder(
    Inner(), moa_config=_config(burn_in_length=40)
  )
