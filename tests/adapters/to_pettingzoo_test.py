"""Our environments as PettingZoo's."""

import functools
import warnings

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import test as pettingzoo_test

from influence_acme import adapters, environments, wrappers
from influence_acme.testing import conformance, fakes


def _make(name='cleanup', wrap=lambda environment: environment, **overrides):
  """Returns one of our environments through PettingZoo's API."""
  return adapters.ParallelEnvironment(
    lambda seed: wrap(environments.make(name, seed=seed, **overrides))
  )


def _talk(environment):
  environment = wrappers.OthersActionsWrapper(environment)
  return wrappers.MessageChannelWrapper(environment, num_symbols=4)


SMALL = {'num_agents': 2, 'episode_length': 30}


@pytest.mark.parametrize('name', ['cleanup', 'harvest'])
@pytest.mark.parametrize(
  ('wrap', 'overrides'),
  [(lambda environment: environment, {}), (_talk, SMALL)],
  ids=['whole', 'talk'],
)
def test_pettingzoos_own_tests_pass(name, wrap, overrides):
  make = functools.partial(_make, name, wrap, **overrides)
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    pettingzoo_test.parallel_api_test(make())
    pettingzoo_test.parallel_seed_test(make)


def _vectors(seed):
  """Returns an environment of vectors."""
  functional = fakes.FakeVectorEnvironment(num_agents=3, episode_length=30)
  return environments.MultiAgentEnvironment(functional, seed=seed)


def test_pettingzoos_own_tests_pass_on_vectors():
  make = functools.partial(adapters.ParallelEnvironment, _vectors)
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    pettingzoo_test.parallel_api_test(make())
    pettingzoo_test.parallel_seed_test(make)
  assert make().observation_space('agent_0') == spaces.Dict(
    {'world': spaces.Box(-np.inf, np.inf, (4,), np.float32)}
  )


def test_vectors_go_there_and_back_again():
  back = adapters.PettingZooEnvironment(adapters.ParallelEnvironment(_vectors))
  conformance.check_environment(back)
  back = adapters.PettingZooEnvironment(
    adapters.ParallelEnvironment(lambda seed: _vectors(4))
  )
  environment = _vectors(4)
  actions = {'agent_0': 0, 'agent_1': 1, 'agent_2': 2}
  for _ in range(40):
    expected, found = environment.step(actions), back.step(actions)
    np.testing.assert_equal(tuple(found), tuple(expected))


def test_it_draws_a_picture():
  parallel = _make(**SMALL)
  parallel.reset()
  picture = parallel.render()
  assert picture.dtype == np.uint8 and picture.shape[2] == 3


def _random_episode(parallel, seed):
  """Returns all that an episode of random actions shows."""
  shown = [parallel.reset(seed=seed)]
  for i, agent in enumerate(parallel.agents):
    parallel.action_space(agent).seed(i)
  while parallel.agents:
    actions = {
      agent: parallel.action_space(agent).sample() for agent in parallel.agents
    }
    shown.append(parallel.step(actions))
  return shown


def test_a_seed_decides_the_whole_episode():
  """Of everyone's steps; PettingZoo's own test stops after the first."""
  parallel = _make(**SMALL)
  one, again, other = (_random_episode(parallel, seed) for seed in (5, 5, 6))
  assert len(one) == 31
  np.testing.assert_equal(one, again)
  with pytest.raises(AssertionError):
    np.testing.assert_equal(one, other)


@pytest.mark.parametrize('wrap', [lambda x: x, _talk], ids=['bare', 'talk'])
def test_what_is_seen_lies_in_the_spaces(wrap):
  parallel = _make('cleanup', wrap, **SMALL)
  observations = [shown[0] for shown in _random_episode(parallel, 0)]
  for by_agent in observations:
    for agent in parallel.possible_agents:
      space = parallel.observation_space(agent)
      assert space.contains(by_agent[agent]), agent


@pytest.mark.parametrize(
  ('script', 'is_death'),
  [(fakes.time_limit(3, 2.0), False), (fakes.death(3, 2.0), True)],
)
def test_a_time_limit_is_a_truncation(script, is_death):
  parallel = adapters.ParallelEnvironment(
    lambda seed: fakes.FakeMultiAgentEnvironment(script=script)
  )
  assert parallel.step({}) == ({}, {}, {}, {}, {})  # Nobody is there yet.
  parallel.reset()
  ids = ['agent_0', 'agent_1']
  for is_last in (False, False, True):
    assert parallel.agents == ids
    _, *rest = parallel.step(dict.fromkeys(ids, 1))
    assert rest == [
      dict.fromkeys(ids, 2.0),
      dict.fromkeys(ids, is_last and is_death),
      dict.fromkeys(ids, is_last and not is_death),
      dict.fromkeys(ids, {}),
    ]
  assert parallel.agents == []
  assert parallel.step({}) == ({}, {}, {}, {}, {})


def test_bad_actions_are_refused_by_name():
  parallel = _make(**SMALL)
  parallel.reset()
  with pytest.raises(ValueError, match='agent_1'):
    parallel.step({'agent_0': 0, 'agent_1': 99})


def test_there_and_back_again():
  """What comes back shows the same as what went."""

  def make():
    return wrappers.OthersActionsWrapper(environments.make('harvest', **SMALL))

  back = adapters.PettingZooEnvironment(
    adapters.ParallelEnvironment(lambda seed: make())
  )
  conformance.check_environment(back)
  back = adapters.PettingZooEnvironment(
    adapters.ParallelEnvironment(lambda seed: make())
  )
  environment, random = make(), np.random.default_rng(0)
  for _ in range(40):
    actions = {
      agent_id: random.integers(spec.num_values)
      for agent_id, spec in environment.action_spec().items()
    }
    expected, found = environment.step(actions), back.step(actions)
    np.testing.assert_equal(tuple(found), tuple(expected))
