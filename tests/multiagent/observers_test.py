"""Tests of the observers, with an Acme loop and episodes counted by hand."""

import dm_env
import numpy as np
import pytest
from acme import environment_loop
from dm_env import specs as dm_specs

from influence_acme import adders
from influence_acme.multiagent import observers

# Agent 0 is paid at steps 0 and 2, agent 1 at step 3 alone: 3 and 1, or 4 in
# all. Differences of 2, twice, by 2 * 2 * 4: a Gini coefficient of 1 / 4.
REWARDS = [(1, 0), (0, 0), (2, -1), (0, 2)]
EXPECTED = {
  'collective_return': 4,
  'gini': 1 / 4,
  'equality': 3 / 4,
  'fair_return': 3,
  'efficiency': 4 / 4,
  'sustainability': (1 + 3) / 2,
}


SPEAKERS = {
  agent_id: {
    'action': dm_specs.DiscreteArray(3),
    'message': dm_specs.DiscreteArray(2),
  }
  for agent_id in 'ab'
}


class Environment(dm_env.Environment):
  """Pays what it is told to, whatever anybody does."""

  def __init__(self, rewards):
    self._rewards = rewards
    self._step = 0

  def reset(self):
    self._step = 0
    return dm_env.restart({})

  def step(self, action):
    reward = dict(zip('ab', map(float, self._rewards[self._step]), strict=True))
    self._step += 1
    is_last = self._step == len(self._rewards)
    return (dm_env.termination if is_last else dm_env.transition)(reward, {})

  def action_spec(self):
    return {}

  def observation_spec(self):
    return {}

  def reward_spec(self):
    return {k: dm_env.specs.Array((), np.float32) for k in 'ab'}


class Actor:
  """Records every step."""

  def __init__(self, adder=None):
    self._adder = adder

  def select_action(self, observation):
    return {}

  def observe_first(self, timestep):
    if self._adder:
      self._adder.add_first(timestep)

  def observe(self, action, next_timestep):
    if self._adder:
      self._adder.add(action, next_timestep, {})

  def update(self, wait=False):
    pass


def run(rewards, actor, observer, num_episodes=2):
  loop = environment_loop.EnvironmentLoop(
    Environment(rewards), actor, observers=[observer]
  )
  return [loop.run_episode() for _ in range(num_episodes)]


def test_measures_of_an_episode():
  for result in run(REWARDS, Actor(), observers.SocialObserver()):
    for name, value in EXPECTED.items():
      np.testing.assert_allclose(result[name], value, rtol=1e-6, err_msg=name)


def test_fines_have_no_equality():
  (result,) = run([(-50, -1)], Actor(), observers.SocialObserver(), 1)
  for name in 'gini', 'equality', 'fair_return', 'sustainability':
    assert np.isnan(result[name]), name
  assert result['collective_return'] == -51


def test_nothing_before_the_first_step():
  for observer in observers.make_observers(
    SPEAKERS, observers.InfluenceObserver()
  ):
    assert observer.get_metrics() == {}


def test_events_of_the_episode():
  class Counting(Environment):
    def events(self):
      hits = np.array([self._step, 0], np.int32)
      return {'fined': hits, 'hits': 2 * hits, 'waste': np.int32(7)}

  loop = environment_loop.EnvironmentLoop(
    Counting(REWARDS), Actor(), observers=[observers.SocialObserver()]
  )
  for _ in range(2):
    result = loop.run_episode()
    assert result['hits'] == {'a': 8, 'b': 0}
    assert result['waste'] == 7
    # Of two agents in four steps, one is hit in every step.
    assert result['peace'] == 1
    assert 'fined' not in result


class Speaker(Actor):
  """a says 0 and 1 in turn; b does in the next step what a said."""

  def observe_first(self, timestep):
    super().observe_first(timestep)
    self._step = 0

  def select_action(self, observation):
    said, before = self._step % 2, (self._step + 1) % 2
    self._step += 1
    return {
      'a': {'action': 2, 'message': said},
      'b': {'action': before, 'message': 0},
    }


def test_speakers_are_measured():
  watched = observers.InfluenceObserver()
  # More than its mean, 1, in step 3 alone, which has no next one.
  adder = adders.InfluenceAdder(
    watched.watch(_Rows()),
    lambda step, _: {
      'a': np.float32(4 * (step.action['b']['action'] == 0)),
      'b': np.float32(0),
    },
  )
  loop = environment_loop.EnvironmentLoop(
    Environment(REWARDS),
    Speaker(adder),
    observers=[
      *observers.make_observers(SPEAKERS, watched),
      observers.ChoiceObserver(SPEAKERS, watched, with_control=True),
    ],
  )
  for _ in range(2):
    result = loop.run_episode()
    # Pairs of a's word and b's deed: 0 0, 1 1, 0 0, by (2/3, 1/3).
    expected = np.log(3) - 2 / 3 * np.log(2)
    np.testing.assert_allclose(result['message_coordination'], expected, 1e-6)
    # Steps 1 and 3: a says 1, of which step 1 has a next one.
    assert result['message_coordination_influential'] == 0
    assert result['influential_share'] == 2 / 8
    assert result['action_coordination'] == 0
    assert 0 < result['speaker_consistency'] < 1
    # Shuffled words seldom fit the deeds as well.
    control = result['message_coordination_scrambled']
    assert 0 < control < result['message_coordination']
    assert 'action_coordination_scrambled' not in result


def test_numbers_of_choices():
  assert observers.num_choices(SPEAKERS) == (3, 2)
  spec = {'a': dm_specs.DiscreteArray(4), 'b': dm_specs.DiscreteArray(5)}
  assert observers.num_choices(spec) == (5, 0)
  assert observers.num_choices({'a': dm_specs.Array((2,), np.float32)}) == (
    0,
    0,
  )


def test_an_adder_is_watched_and_left_as_it_is():
  class Adder(_Rows):
    signature = 'mine'

  watched = observers.InfluenceObserver()
  adder = watched.watch(Adder())
  assert adder.signature == 'mine'
  adder.add_first(dm_env.restart(0))
  adder.add(0, dm_env.transition(0.0, 0), ())
  assert watched.influence is None and watched.get_metrics() == {}


@pytest.mark.parametrize(
  ('delay', 'expected'),
  [
    # Influence is 0 1 2 3 for a, mean 1.5, and 9 0 0 0 for b, mean 2.25.
    (0, (2 + 1) / 8),
    # The last step's is 0: 0 1 2 0, mean 0.75, and b's as before.
    (1, (2 + 1) / 8),
  ],
)
def test_share_of_influential_steps(delay, expected):
  observer = observers.InfluenceObserver()
  rows = _Rows()
  calls: list[int] = []

  def influence_fn(step, following):
    assert (following is None) == (delay == 0)
    t = len(calls) % (len(REWARDS) - delay)
    calls.append(t)
    return {'a': np.float32(t), 'b': np.float32(9 * (t == 0))}

  adder = adders.InfluenceAdder(observer.watch(rows), influence_fn, delay=delay)
  for result in run(REWARDS, Actor(adder), observer):
    np.testing.assert_allclose(result['influential_share'], expected)


class _Rows:
  """An adder that takes everything."""

  def add_first(self, timestep):
    pass

  def add(self, action, next_timestep, extras=()):
    assert not extras or set(extras) == {'extrinsic', 'influence'}

  def reset(self):
    pass
