"""The order of agents is that of `agent_ids`, whatever the order of a dict."""

import dm_env
import numpy as np
import pytest
from acme import environment_loop
from acme import specs as acme_specs
from dm_env import specs

from influence_acme import adders, types, wrappers
from influence_acme.agents import influence
from influence_acme.multiagent import observers, recording
from influence_acme.system import specs as multiagent_specs

IDS = tuple(f'agent_{i}' for i in range(11))  # JAX sorts agent_10 before _2.


class Ranked(dm_env.Environment):
  """Pays agent i i a step, and turns the order of its dicts."""

  agent_ids = IDS

  def __init__(self, turn=4):
    self._turn = turn
    self._time = 0

  def _by_agent(self, values):
    turn = self._turn + self._time
    ids = IDS[turn % 11 :] + IDS[: turn % 11]
    return {agent_id: values[IDS.index(agent_id)] for agent_id in ids}

  def _views(self):
    views = [np.full((5, 5, 3), i, np.uint8) for i in range(11)]
    return self._by_agent([{'world': view} for view in views])

  def reset(self):
    self._time = 0
    return dm_env.restart(self._views())

  def step(self, action):
    self._time += 1
    rewards = self._by_agent([np.float32(i) for i in range(11)])
    make = dm_env.truncation if self._time == 3 else dm_env.transition
    return make(rewards, self._views())

  def events(self):
    return {'apples': np.arange(11, dtype=np.int32)}

  def action_spec(self):
    return self._by_agent([specs.DiscreteArray(3) for _ in IDS])

  def observation_spec(self):
    world = specs.BoundedArray((5, 5, 3), np.uint8, 0, 255, name='world')
    return self._by_agent([{'world': world}] * 11)

  def reward_spec(self):
    return self._by_agent([specs.Array((), np.float32)] * 11)


def test_a_dict_in_any_order_is_brought_into_that_of_the_agents():
  assert list(types.in_order({'b': 1, 'a': 2}, ('a', 'b'), 'x').items()) == [
    ('a', 2),
    ('b', 1),
  ]


@pytest.mark.parametrize(
  ('values', 'message'),
  [
    ({'a': 1}, r"^bits is of \['a'\]: .*exactly a, b; missing are \['b'\]"),
    ({'a': 1, 'b': 2, 'c': 3}, r"not among them \['c'\]"),
    ({'a': 1, 'c': 3}, r"missing are \['b'\], not among them \['c'\]"),
    ([1, 2], r'^bits is \[1, 2\]: it must be a dict of exactly a, b'),
  ],
)
def test_missing_and_unknown_agents_are_named(values, message):
  with pytest.raises(ValueError, match=message):
    types.in_order(values, ('a', 'b'), 'bits')


def test_wrappers_and_specs_have_the_agents_order():
  wrapped = wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(Ranked()), 2
  )
  for environment in (wrapped, Ranked()):
    spec = multiagent_specs.make_environment_spec(environment)
    for by_agent in spec[:3]:
      assert tuple(by_agent) == IDS
  assert tuple(wrapped.reset().observation) == IDS


def test_networks_are_of_the_agents_in_their_order():
  config = influence.InfluenceConfig(hidden_size=4)
  environment = influence.wrap_environment(Ranked(), config)
  spec = acme_specs.make_environment_spec(environment)
  assert influence.make_networks(spec, config).agent_ids == IDS


class Actor:
  """Acts at random, and tells an adder by agent id."""

  def __init__(self, adder):
    self._adder = adder

  def select_action(self, observation):
    return dict.fromkeys(reversed(IDS), 0)

  def observe_first(self, timestep):
    self._adder.add_first(timestep)

  def observe(self, action, next_timestep):
    self._adder.add(action, next_timestep, {})

  def update(self, wait=False):
    pass


def test_measures_are_of_their_agents():
  watched = observers.InfluenceObserver()
  adder = adders.InfluenceAdder(
    watched.watch(recording.RecordingAdder()),
    # Agent i has influence i.
    lambda step, _: {agent_id: np.float32(i) for i, agent_id in enumerate(IDS)},
  )
  environment = Ranked()
  result = environment_loop.EnvironmentLoop(
    environment,
    Actor(adder),
    observers=observers.make_observers(environment.action_spec(), watched),
  ).run_episode()
  assert result['apples'] == {agent_id: i for i, agent_id in enumerate(IDS)}
  # Returns 0, 3, ..., 30. Pairs differ by d in 11 - d of them, twice:
  # 3 * 2 * sum_d d (11 - d) = 6 * 220, by 2 * 11 * 165.
  np.testing.assert_allclose(result['gini'], 1320 / 3630, rtol=1e-6)
  assert watched.influence is not None
  np.testing.assert_array_equal(watched.influence, [range(11)] * 3)


def test_a_stacked_step_has_the_agents_order():
  environment = Ranked()
  environment.reset()
  step = multiagent_specs.stack_timestep(
    environment.step(dict.fromkeys(IDS, 0)), IDS
  )
  np.testing.assert_array_equal(step.reward, range(11))
  np.testing.assert_array_equal(
    step.observation['world'][:, 0, 0, 0], range(11)
  )
