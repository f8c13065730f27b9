"""Environments of PettingZoo as ours."""

from typing import Any

import dm_env
import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces

from influence_acme import adapters, wrappers
from influence_acme.programs import evaluation
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
    self.views: Any = None  # What everyone sees; None: random pixels.
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
    (Game(leave=['left']), "'left' left before the others, or skipped a step"),
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
  ('space', 'kind'),
  [
    (spaces.Box(0, 1, (5, 6, 3), np.float32), 'float32'),
    (spaces.Box(0, 255, (4,), np.uint8), 'uint8'),
    (spaces.Box(-1, 1, (4,), np.float64), 'float64'),
    (spaces.Box(-1, 1, (2, 2), np.float32), 'float32'),
    (spaces.Discrete(3), 'Discrete'),
    (spaces.Dict({'x': spaces.Discrete(3)}), "'x': Discrete"),
    (spaces.Dict({'world': spaces.Box(0, 1, (2,), np.int64)}), 'int64'),
    (spaces.Dict({'world': spaces.MultiBinary((5, 6, 3))}), 'MultiBinary'),
  ],
)
def test_other_observations_are_refused(space, kind):
  """The error names the agent, what its space is, and what is allowed."""
  game = Game()
  game.spaces['left'] = space
  allowed = r"uint8 \[H, W, C\].*float32 \[D\].*Dict with such a 'world'"
  with pytest.raises(
    ValueError,
    match=f"observation of 'left'.*{kind}.*must be a Box of {allowed}",
  ):
    adapters.PettingZooEnvironment(game)


VECTOR = spaces.Box(-1, 2, (3,), np.float32)


def test_vectors_are_observed_as_they_are():
  game = Game()
  game.views = np.array([-1, 0.25, 2], np.float32)
  game.spaces = dict.fromkeys(AGENTS, VECTOR)
  environment = adapters.PettingZooEnvironment(game)
  spec = environment.observation_spec()['left']['world']
  assert (spec.shape, spec.dtype) == ((3,), np.float32)
  for timestep in _play(environment):
    world = timestep.observation['left']['world']
    assert world.dtype == np.float32
    np.testing.assert_array_equal(world, [-1, 0.25, 2])
  conformance.check_environment(adapters.PettingZooEnvironment(game))


PIXELS = spaces.Box(0, 200, (5, 6, 3), np.uint8)


@pytest.mark.parametrize(
  ('space', 'view', 'problem'),
  [
    (PIXELS, np.full((5, 6, 3), 0.9, np.float32), 'has dtype float32'),
    (PIXELS, np.full((5, 6, 3), 300), 'has dtype int64'),
    (PIXELS, np.full((5, 6, 3), -1), 'has dtype int64'),
    (PIXELS, np.full((5, 6, 3), np.nan), 'has dtype float64'),
    (PIXELS, np.zeros((5, 6, 12), np.uint8), r'has shape \(5, 6, 12\)'),
    (PIXELS, np.zeros((3, 5, 6), np.uint8), r'has shape \(3, 5, 6\)'),
    (PIXELS, np.zeros((5, 6, 3), int).tolist(), 'is a list'),
    (PIXELS, np.full((5, 6, 3), 201, np.uint8), 'holds 201'),
    (PIXELS, 7, 'is a int'),
    (VECTOR, np.zeros(3), 'has dtype float64'),
    (VECTOR, np.zeros(3, np.float16), 'has dtype float16'),
    (VECTOR, np.zeros(4, np.float32), r'has shape \(4,\)'),
    (VECTOR, np.array([0, 2.5, 0], np.float32), 'holds 2.5'),
    (VECTOR, np.array([0, np.nan, 0], np.float32), 'holds nan'),
    (
      spaces.Box(-np.inf, np.inf, (1,), np.float32),
      np.array([np.inf], np.float32),
      'holds inf',
    ),
  ],
)
@pytest.mark.parametrize('as_dict', [False, True])
def test_what_the_space_does_not_hold_is_refused(space, view, problem, as_dict):
  game = Game()
  game.spaces = dict.fromkeys(AGENTS, space)
  game.views = view
  if as_dict:
    game.spaces = dict.fromkeys(AGENTS, spaces.Dict({'world': space}))
    game.views = {'world': view}
  environment = adapters.PettingZooEnvironment(game)
  with pytest.raises(
    ValueError, match=f"^'world' of 'right' {problem}: .* in its space, Box"
  ):
    environment.reset()


def test_what_the_space_does_not_hold_is_refused_later_too():
  game = Game()
  environment = adapters.PettingZooEnvironment(game)
  environment.reset()
  game.views = np.zeros((5, 6, 4), np.uint8)
  with pytest.raises(ValueError, match="'world' of 'right' has shape"):
    environment.step({'right': 0, 'left': 0})
  game.views = None
  assert environment.step({}).first()


def test_a_reset_that_fails_does_not_go_on_with_the_last_episode():
  game = Game()
  environment = adapters.PettingZooEnvironment(game)
  environment.reset()
  game.views = np.zeros((5, 6, 4), np.uint8)
  with pytest.raises(ValueError, match="'world' of 'right' has shape"):
    environment.reset()
  game.views = None
  assert environment.step({}).first()


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


def test_entries_become_what_their_specs_say():
  pixels = np.zeros((5, 6, 3), np.uint8)
  extras = {'bits': spaces.MultiBinary(2), 'number': spaces.Discrete(5)}
  game = Game()
  game.spaces = dict.fromkeys(
    AGENTS, spaces.Dict({'world': game.spaces['left'], **extras})
  )
  bits = np.array([1, 0], np.int8)
  game.views = {'world': pixels, 'bits': bits, 'number': 4}
  own = adapters.PettingZooEnvironment(game).reset().observation['left']
  assert own['bits'].tolist() == [True, False] and own['bits'].dtype == bool
  assert own['number'] == 4 and own['number'].dtype == np.int32
  changes: list[tuple[dict[str, Any], str]] = [
    ({'number': 5}, "'number' of 'right' is 5: it must lie in .*Discrete"),
    ({'bits': bits + 1}, "'bits' of 'right' is .*2.*MultiBinary"),
  ]
  for change, message in changes:
    game.views = {'world': pixels, 'bits': bits, 'number': 4, **change}
    with pytest.raises(ValueError, match=message):
      adapters.PettingZooEnvironment(game).reset()
  game.views = {'world': pixels, 'number': 4}
  with pytest.raises(ValueError, match="'right' observes .*without 'bits'"):
    adapters.PettingZooEnvironment(game).reset()


class Changed(Game):
  """Changes one of what `step` returns, by its index."""

  def __init__(self, index, change):
    super().__init__()
    self._index, self._change = index, change

  def step(self, actions):
    result = list(super().step(actions))
    result[self._index] = self._change(result[self._index])
    return tuple(result)


def _without_left(by_agent):
  return {agent: x for agent, x in by_agent.items() if agent != 'left'}


@pytest.mark.parametrize(
  ('index', 'change', 'message'),
  [
    (0, lambda _: {}, r'step\(\) returned no observations.*last step'),
    (1, _without_left, "'left' has no reward in this step"),
    (1, lambda r: {**r, 'left': None}, "reward of 'left' is None.*one number"),
    (1, lambda r: {**r, 'left': np.ones(1)}, "'left' is array.*one number"),
    (1, lambda r: {**r, 'left': '1'}, "reward of 'left' is '1'.*one number"),
    (1, lambda r: {**r, 'left': np.nan}, "reward of 'left' is nan.*finite"),
    (1, lambda r: {**r, 'left': 1e300}, "'left' is 1e.300: .*finite float32"),
    (2, _without_left, "whether agent 'left' is terminated"),
    (3, _without_left, "whether agent 'left' is truncated"),
    (4, lambda _: None, r'step\(\) returned .*NoneType\): .*infos'),
  ],
)
def test_what_a_step_lacks_is_named(index, change, message):
  environment = adapters.PettingZooEnvironment(Changed(index, change))
  environment.reset()
  with pytest.raises(ValueError, match=message):
    environment.step({'right': 0, 'left': 0})
  assert environment.step({}).first()


@pytest.mark.parametrize(
  ('index', 'change'),
  [
    (1, lambda rewards: {a: np.float64(r) for a, r in rewards.items()}),
    (1, lambda rewards: {a: np.array(r) for a, r in rewards.items()}),
    (3, lambda flags: {a: np.bool_(flag) for a, flag in flags.items()}),
    (3, lambda flags: {a: np.array(flag) for a, flag in flags.items()}),
  ],
)
def test_numpy_numbers_and_flags_are_fine(index, change):
  steps = _play(adapters.PettingZooEnvironment(Changed(index, change)))[1:]
  assert [step.reward['left'] for step in steps] == [21, 22, 23, 24]
  assert [step.last() for step in steps] == [False, False, False, True]


class OlderReset(Game):
  def reset(self, seed=None, options=None):
    return super().reset(seed, options)[0]


def test_the_older_api_is_named():
  environment = adapters.PettingZooEnvironment(OlderReset())
  with pytest.raises(
    ValueError, match=r'reset\(\) returned dict: .*\(observations, infos\)'
  ):
    environment.reset()


@pytest.mark.parametrize('agents', [None, [], [0, 1], 'ab', ['a', 0]])
def test_agents_must_be_known_by_name(agents):
  game = Game()
  game.possible_agents = agents
  with pytest.raises(ValueError, match='possible_agents is .*of the names'):
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


def test_an_environment_that_gives_pictures_is_filmed():
  class Drawn(Game):
    render_mode = 'rgb_array'

    def render(self):
      return np.full((4, 4, 3), self.time, np.uint8)

  environment = wrappers.OthersActionsWrapper(
    adapters.PettingZooEnvironment(Drawn())
  )
  shot = evaluation.Film(environment)
  environment.reset()
  shot.take()
  environment.step(dict.fromkeys(AGENTS, np.int32(0)))
  shot.take()
  assert not shot.failure
  np.testing.assert_array_equal(
    shot.frames, [np.full((4, 4, 3), time) for time in (0, 1)]
  )


@pytest.mark.parametrize('mode', [None, 'human'])
def test_one_that_opens_windows_or_nothing_is_not_filmed(mode):
  game = Game()
  game.render_mode = mode
  environment = adapters.PettingZooEnvironment(game)
  assert not hasattr(environment, 'render')
  with pytest.raises(AttributeError, match="with 'rgb_array'"):
    environment.render()
