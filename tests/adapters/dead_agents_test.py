"""Agents of PettingZoo that die before the others, and stay as masked."""

import dm_env
import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces

from influence_acme import adapters, wrappers
from influence_acme.testing import conformance

AGENTS = ('right', 'left', 'up')  # Not sorted.
ACTIONS = {'up': 2, 'left': 1, 'right': 0}


class Game(pettingzoo.ParallelEnv):
  """Everyone observes the time, and gets 10 a step.

  Agents are terminated or truncated in the steps that a test asks for, and are
  no longer among those that act, observe, or are rewarded.
  """

  possible_agents = list(AGENTS)

  def __init__(self, deaths, truncated=(), length=4, last_words=False):
    self._deaths, self._truncated = deaths, truncated
    self._length, self._last_words = length, last_words
    self.acted = []

  def observation_space(self, agent):
    return spaces.Box(-1, 9, (2,), np.float32)

  def action_space(self, agent):
    return spaces.Discrete(3)

  def reset(self, seed=None, options=None):
    self.agents = list(AGENTS)
    self.time = 0
    return self._observe(self.agents), {}

  def step(self, actions):
    self.acted.append(sorted(actions))
    self.time += 1
    before = self.agents
    dead = [a for a in before if self._deaths.get(a) == self.time]
    is_last = self.time == self._length
    over = {a: is_last and a in self._truncated for a in before}
    self.agents = [a for a in before if a not in dead]
    seen = before if self._last_words else self.agents
    return (
      self._observe(seen),
      dict.fromkeys(before, 10.0),
      {a: a in dead for a in before},
      over,
      {a: {} for a in before},
    )

  def _observe(self, agents):
    return {a: np.full(2, self.time, np.float32) for a in agents}


def _play(environment, actions=ACTIONS, num_steps=4):
  return [environment.reset()] + [
    environment.step(actions) for _ in range(num_steps)
  ]


def _column(timesteps, name, agent):
  return [np.asarray(step.observation[agent][name]) for step in timesteps]


def test_an_agent_dies_and_stays():
  """'left' dies in step 2 of four; the others reach the time limit."""
  game = Game({'left': 2}, truncated=AGENTS)
  environment = wrappers.OthersActionsWrapper(
    adapters.PettingZooEnvironment(game, keep_dead=True)
  )
  steps = _play(environment)
  assert game.acted == [sorted(AGENTS)] * 2 + [['right', 'up']] * 2
  rewards = [[step.reward[a] for a in AGENTS] for step in steps[1:]]
  assert rewards == [[10, 10, 10]] * 2 + [[10, 0, 10]] * 2
  assert [step.last() for step in steps] == [False] * 4 + [True]
  assert [step.discount for step in steps[1:]] == [1, 1, 1, 1]
  for agent in AGENTS:
    np.testing.assert_array_equal(
      _column(steps, 'alive', agent),
      [[True, True, True]] * 2 + [[True, False, True]] * 3,
    )
  np.testing.assert_array_equal(
    _column(steps, 'world', 'left'), [[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]]
  )
  # It acted in the step of its death, and no more.
  np.testing.assert_array_equal(
    _column(steps, 'actions', 'up'),
    [[-1, -1, -1], [0, 1, 2], [0, 1, 2], [0, -1, 2], [0, -1, 2]],
  )
  np.testing.assert_array_equal(
    _column(steps, 'visible', 'up'),
    [[True, True, False]] * 2 + [[True, False, False]] * 3,
  )
  np.testing.assert_array_equal(
    _column(steps, 'visible', 'left'),
    [[True, False, True]] * 2 + [[False] * 3] * 3,
  )
  again = environment.step(ACTIONS)
  assert again.first() and again.observation['up']['alive'].all()


def test_the_last_words_are_heard():
  """The message of the step of a death arrives; there are none after it."""
  environment = wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(
      adapters.PettingZooEnvironment(
        Game({'left': 2}, truncated=AGENTS, last_words=True), keep_dead=True
      )
    ),
    num_symbols=5,
  )
  choices = {a: {'action': 0, 'message': 3} for a in AGENTS}
  steps = _play(environment, choices)
  np.testing.assert_array_equal(
    _column(steps, 'messages', 'right'),
    [[-1] * 3, [3, 3, 3], [3, 3, 3], [3, -1, 3], [3, -1, 3]],
  )
  # An observation that the environment gives at a death is shown.
  np.testing.assert_array_equal(
    _column(steps, 'world', 'left')[2:], [[2, 2], [0, 0], [0, 0]]
  )


@pytest.mark.parametrize(
  ('deaths', 'truncated', 'num_steps', 'discount', 'alive'),
  [
    # All die, one after the other: a termination.
    ({'left': 1, 'up': 2, 'right': 3}, (), 3, 0, [False] * 3),
    # All die at once.
    (dict.fromkeys(AGENTS, 2), (), 2, 0, [False] * 3),
    # One dies in the step that the time limit ends: its return ends, too.
    ({'up': 4}, AGENTS, 4, 1, [True, True, False]),
  ],
)
def test_an_episode_ends_with_the_last_of_the_living(
  deaths, truncated, num_steps, discount, alive
):
  environment = adapters.PettingZooEnvironment(
    Game(deaths, truncated), keep_dead=True
  )
  *steps, last = _play(environment, num_steps=num_steps)
  assert not any(step.last() for step in steps)
  assert last.last() and last.discount == discount
  np.testing.assert_array_equal(environment.alive(), alive)


@pytest.mark.parametrize(
  ('game', 'message'),
  [
    (Game({}, ['left']), "'left' is truncated and 'right' is not"),
    (Game({'up': 2}, ['left']), "'left' is truncated and 'right' is not"),
  ],
)
def test_the_living_must_end_together(game, message):
  environment = adapters.PettingZooEnvironment(game, keep_dead=True)
  with pytest.raises(ValueError, match=message):
    _play(environment)
  assert environment.step({}).step_type == dm_env.StepType.FIRST


def test_nobody_vanishes_without_being_terminated():
  game = Game({'up': 2}, AGENTS)
  environment = adapters.PettingZooEnvironment(game, keep_dead=True)
  environment.reset()
  game.agents.remove('left')
  with pytest.raises(ValueError, match="whether agent 'left' is terminated"):
    environment.step(ACTIONS)


def test_without_the_option_a_death_is_refused_with_advice():
  environment = adapters.PettingZooEnvironment(Game({'left': 2}))
  assert not hasattr(environment, 'alive')
  with pytest.raises(ValueError, match="'left' left before .* keep_dead=True"):
    _play(environment)


@pytest.mark.parametrize('with_messages', [False, True])
def test_it_keeps_the_contract(with_messages):
  environment = wrappers.OthersActionsWrapper(
    adapters.PettingZooEnvironment(Game({'left': 2}, AGENTS), keep_dead=True)
  )
  conformance.check_environment(
    wrappers.MessageChannelWrapper(environment, 3)
    if with_messages
    else environment
  )
