"""Configurations of NumPy's numbers, and those that went through JSON."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest

from influence_acme import checks, environments, evaluate
from influence_acme.agents import influence, intrinsic
from influence_acme.reproduction import sweep
from influence_acme.system import config as system_config
from influence_acme.training import config as train_config

_AGENT = influence.InfluenceConfig(
  variant=('moa', 'baseline'),
  influence_weight=(0.5, 0.0),
  update='ppo',
  ppo=system_config.PPOConfig(num_epochs=2, clip=0.25),
  entropy_cost_start=0.5,
)
CONFIGS = {
  'InfluenceConfig': _AGENT,
  'PPOConfig': _AGENT.ppo,
  'MOAConfig': intrinsic.MOAConfig(
    own_index=1, num_agents=3, num_actions=4, view_shape=(5, 5, 3)
  ),
  'TrainConfig': train_config.TrainConfig(
    agent=_AGENT,
    game='matrix',
    num_agents=2,
    game_options={'payoff': ((3.0, 0.0), (5.0, 1.0))},
    allow_changes=('discount',),
    seeds=(0, 7),
  ),
  'Sweep': sweep.Sweep('runs/s', 'moa', 'cleanup', ('moa',), seeds=(0, 7)),
  'EvaluateConfig': evaluate.EvaluateConfig('runs/r', seed=3, num_agents=2),
  'cleanup': environments.functional('cleanup_small', fire_cost=0.5),
  'harvest': environments.functional('harvest', regrowth=(0.0, 0.5)),
  'box_trapped': environments.functional('box_trapped', episode_length=9),
  'matrix': environments.functional('matrix', payoff=((3.0, 0.0), (5.0, 1.0))),
  'coordination': environments.functional('coordination', num_agents=4),
}


def _fields(config):
  """Returns the fields that a configuration is made from."""
  names = {field.name for field in dataclasses.fields(config) if field.init}
  return {k: x for k, x in dataclasses.asdict(config).items() if k in names}


def _to_numpy(value):
  """Makes NumPy's scalars of all numbers, and arrays of tuples of them."""
  if isinstance(value, dict):
    return {name: _to_numpy(each) for name, each in value.items()}
  if isinstance(value, tuple) and not isinstance(value[0], str):
    return np.array(value)
  if isinstance(value, (bool, int, float)):
    return np.asarray(value)[()]
  return value


@pytest.mark.parametrize('name', CONFIGS)
def test_it_comes_back_from_json_as_it_was(name):
  config = CONFIGS[name]
  text = json.dumps(_fields(config))
  read = type(config)(**json.loads(text))
  assert read == config
  assert repr(read) == repr(config)


@pytest.mark.parametrize('name', CONFIGS)
def test_numbers_of_numpy_are_numbers(name):
  config = CONFIGS[name]
  fields = _to_numpy(_fields(config))
  assert any(isinstance(value, np.generic) for value in fields.values())
  made = type(config)(**fields)
  assert made == config
  json.dumps(_fields(made))


@pytest.mark.parametrize(
  ('value', 'expected'),
  [
    (np.float32(0.5), 0.5),
    (np.int64(3), 3),
    (np.uint8(3), 3),
    (np.bool_(True), True),
    (np.array([[1, 2]]), ((1, 2),)),
    ([1, (2, [np.float16(3)])], (1, (2, (3.0,)))),
    ({'a': [1]}, {'a': (1,)}),
    (pathlib.Path('a/b'), 'a/b'),
    ('abc', 'abc'),
    (None, None),
  ],
)
def test_plain_values(value, expected):
  plain = checks.plain(value)
  assert plain == expected
  assert type(plain) is type(expected)
