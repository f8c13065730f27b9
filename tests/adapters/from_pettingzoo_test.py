"""Environments of PettingZoo as ours."""

import dm_env
import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces

from influence_acme import adapters, wrappers
from influence_acme.testing import conformance

AGENTS = ['right', 'left']  # Not sorted.
LENGTH = 4


class Game(pettingzoo.ParallelEnv):
  """The first agent has 2 actions, the other 3; views are random.

  Its last step is what a test asks for.
  """

  possible_agents = AGENTS

  def __init__(self, terminations=(), truncations=AGENTS, leave=(), late=()):
    self._last = (terminations, truncations)
    self._leave, self._late = leave, late
    self.spaces: dict[str, spaces.Space] = dict.fromkeys(
      AGENTS, spaces.Box(0, 255, (5, 6, 3), np.uint8)
    )
    self.actions: dict[str, spaces.Space] = {
      agent: spaces.Discrete(2 + i) for i, agent in enumerate(AGENTS)
    }
    self.views: np.ndarray | None = None  # Random ones.
    self.seeds = []

  def observation_space(self, agent):
    return self.spaces[agent]

  def action_space(self, agent):
    return self.actions[agent]

  def reset(self, seed=None, options=None):
    self.seeds.append(seed)
    if seed is not None:
      self._random = np.random.default_rng(seed)
    self.agents = [agent for agent in AGENTS if agent not in self._late]
    self.time = 0
    return self._observe(), {}

  def step(self, actions):
    self.time += 1
    is_last = self.time == LENGTH
    terminations, truncations = self._last if is_last else ((), ())
    agents = self.agents
    self.agents = [agent for agent in agents if agent not in self._leave]
    return (
      self._observe(),
      {agent: 10 * actions[agent] + self.time for agent in agents},
      {agent: agent in terminations for agent in agents},
      {agent: agent in truncations for agent in agents},
      {agent: {} for agent in agents},
    )

  def _observe(self):
    if self.views is not None:
      return dict.fromkeys(self.agents, self.views)
    return {
      agent: self._random.integers(0, 256, (5, 6, 3), np.uint8)
      for agent in self.agents
    }


def _play(environment, num_steps=LENGTH):
  """Returns the time steps of an episode in which all do what they can."""
  actions = {'right': np.int32(1), 'left': 2}
  return [environment.reset()] + [
    environment.step(actions) for _ in range(num_steps)
  ]


def test_it_keeps_the_contract():
  conformance.check_environment(adapters.PettingZooEnvironment(Game()))
  conformance.check_environment(
    wrappers.MessageChannelWrapper(
      wrappers.OthersActionsWrapper(adapters.PettingZooEnvironment(Game())), 3
    )
  )


def test_specs_are_the_spaces():
  environment = adapters.PettingZooEnvironment(Game())
  assert environment.agent_ids == ('right', 'left')
  assert [s.num_values for s in environment.action_spec().values()] == [2, 3]
  world = environment.observation_spec()['left']['world']
  assert (world.shape, world.dtype) == ((5, 6, 3), np.uint8)
  assert np.all(world.minimum == 0) and np.all(world.maximum == 255)


def test_rewards_and_ends_are_by_agent():
  first, *steps = _play(adapters.PettingZooEnvironment(Game()))
  assert first.first() and first.reward is None
  for time, step in enumerate(steps, 1):
    assert step.reward == {'right': 10 + time, 'left': 20 + time}
    assert all(reward.dtype == np.float32 for reward in step.reward.values())
  assert [step.last() for step in steps] == [False, False, False, True]


@pytest.mark.parametrize(
  ('terminations', 'truncations', 'discount'),
  [((), AGENTS, 1), (AGENTS, (), 0), (AGENTS, AGENTS, 0)],
)
def test_a_time_limit_is_no_death(terminations, truncations, discount):
  game = Game(terminations, truncations)
  *steps, last = _play(adapters.PettingZooEnvironment(game))[1:]
  assert last.last() and last.discount == discount
  assert all(step.mid() and step.discount == 1 for step in steps)


def test_the_seed_is_given_once_and_decides():
  def worlds(environment):
    episodes = _play(environment) + _play(environment)
    return np.stack([step.observation['left']['world'] for step in episodes])

  game = Game()
  seen = worlds(adapters.PettingZooEnvironment(game, seed=3))
  assert game.seeds == [3, None]
  again, other = (
    worlds(adapters.PettingZooEnvironment(Game(), seed=seed)) for seed in (3, 4)
  )
  np.testing.assert_array_equal(seen, again)
  assert not np.array_equal(seen, other)


@pytest.mark.parametrize(
  ('game', 'message'),
  [
    (Game(truncations=['left']), "'left' is truncated and 'right' is not"),
    (Game(['right'], []), "'right' is terminated and 'left' is not"),
    (Game(['right'], ['left']), "'right' is terminated and 'left' is not"),
    (Game(leave=['left']), "'left' left before the others"),
  ],
)
def test_agents_that_leave_early_are_named(game, message):
  """And the next step starts an episode."""
  environment = adapters.PettingZooEnvironment(game)
  with pytest.raises(ValueError, match=f'{message}: all agents must end'):
    _play(environment)
  assert environment.step({}).step_type == dm_env.StepType.FIRST


def test_agents_that_come_late_are_named():
  environment = adapters.PettingZooEnvironment(Game(late=['right']))
  with pytest.raises(ValueError, match="'right' is not there at the beginning"):
    environment.reset()


def test_observations_are_copies():
  game = Game()
  shared = np.zeros((5, 6, 3), np.uint8)
  game.views = shared
  environment = adapters.PettingZooEnvironment(game)
  before = environment.reset().observation['left']['world']
  shared += 1
  assert np.all(before == 0)


@pytest.mark.parametrize(
  ('space', 'message'),
  [
    (spaces.Box(0, 1, (5, 6, 3), np.float32), 'must be a Box of uint8'),
    (spaces.Box(0, 255, (4,), np.uint8), 'must be a Box of uint8'),
    (spaces.Discrete(3), 'must be a Box of uint8'),
    (spaces.Dict({'x': spaces.Discrete(3)}), "a Dict with such a 'world'"),
  ],
)
def test_other_observations_are_refused(space, message):
  game = Game()
  game.spaces['left'] = space
  with pytest.raises(ValueError, match=f"observation of 'left'.*{message}"):
    adapters.PettingZooEnvironment(game)


def test_entries_beside_the_pixels_stay_or_are_named():
  pixels = spaces.Box(0, 255, (5, 6, 3), np.uint8)
  game = Game()
  extras = spaces.Box(-1, 2, (2,), np.int32), spaces.MultiBinary(2)
  for extra in (*extras, spaces.Discrete(5)):
    game.spaces['left'] = spaces.Dict({'world': pixels, 'more': extra})
    spec = adapters.PettingZooEnvironment(game).observation_spec()
    assert spec['left'].keys() == {'world', 'more'}
    assert spec['left']['more'].shape == extra.shape
  game.spaces['left'] = spaces.Dict({'world': pixels, 'say': spaces.Text(5)})
  with pytest.raises(ValueError, match="'say' is in Text"):
    adapters.PettingZooEnvironment(game)


@pytest.mark.parametrize(
  'space',
  [spaces.Discrete(3, start=1), spaces.Box(0, 1), spaces.MultiBinary(2)],
)
def test_other_actions_are_refused(space):
  game = Game()
  game.actions['left'] = space
  with pytest.raises(ValueError, match='must be'):
    adapters.PettingZooEnvironment(game)
