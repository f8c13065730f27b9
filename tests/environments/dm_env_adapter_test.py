import dataclasses
import pickle
import time
from typing import Any, NamedTuple

import broken_vectors
import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from influence_acme.environments import base, dm_env_adapter, matrix
from influence_acme.testing import conformance, fakes


class _State(NamedTuple):
  key: Any  # Every number that is shown comes from it.
  time: Any


@dataclasses.dataclass(frozen=True)
class Dice(base.FunctionalEnvironment):
  """Throws dice for everything: the rewards tell who acted how, and when."""

  num_agents: int = 3
  episode_length: int = 4

  num_actions = 9
  observation_shape = (4, 6, 3)

  def reset(self, key):
    state = _State(jax.random.fold_in(key, 0), jnp.int32(0))
    return state, self._step(state, jnp.zeros(self.num_agents))

  def step(self, state, actions):
    finished = state.time == self.episode_length
    time = jnp.where(finished, 0, state.time + 1)
    state = _State(jax.random.fold_in(state.key, 1), time)
    return state, self._step(state, jnp.where(finished, 0, actions))

  def visible(self, state):
    shape = (self.num_agents, self.num_agents)
    seen = jax.random.bernoulli(state.key, shape=shape)
    return seen & ~jnp.eye(self.num_agents, dtype=bool)

  def render(self, state):
    return np.full((8, 8, 3), state.time, np.uint8)

  def _step(self, state, actions):
    ends = jnp.where(state.time == self.episode_length, 2, 1)
    shape = (self.num_agents, *self.observation_shape)
    return base.Step(
      observation=jax.random.randint(state.key, shape, 0, 256).astype('uint8'),
      reward=(actions + 10 * state.time).astype('float32'),
      discount=jnp.where(state.time == 3, 0.5, 1).astype('float32'),
      step_type=jnp.where(state.time == 0, 0, ends).astype('int32'),
    )


def _actions(environment, action=0):
  return dict.fromkeys(environment.agent_ids, action)


def _play(environment, num_steps, seed=0):
  """Returns the time steps and visibility that follow random actions."""
  rng = np.random.default_rng(seed)
  shown = []
  for _ in range(num_steps):
    actions = {name: rng.integers(9) for name in environment.agent_ids}
    shown.append((environment.step(actions), environment.visible()))
  return shown


@pytest.mark.parametrize(
  'functional',
  [Dice(), Dice(num_agents=12), matrix.Coordination(episode_length=1)],
  ids=str,
)
def test_keeps_the_contract(functional):
  conformance.check_environment(
    dm_env_adapter.MultiAgentEnvironment(functional)
  )


def test_specs():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice(num_agents=11))
  ids = tuple(f'agent_{i}' for i in range(11))
  assert environment.agent_ids == ids
  assert tuple(environment.action_spec()) == ids
  assert tuple(environment.observation_spec()) == ids
  assert tuple(environment.reward_spec()) == ids
  for agent_id in ids:
    action = environment.action_spec()[agent_id]
    assert isinstance(action, specs.DiscreteArray)
    assert (action.num_values, action.dtype, action.shape) == (9, np.int32, ())
    observation = environment.observation_spec()[agent_id]
    assert list(observation) == ['world']
    world = observation['world']
    assert (world.shape, world.dtype) == ((4, 6, 3), np.uint8)
    reward = environment.reward_spec()[agent_id]
    assert (reward.shape, reward.dtype) == ((), np.float32)
  discount = environment.discount_spec()
  assert (discount.shape, discount.dtype) == ((), np.float32)


def test_vectors_come_as_they_are():
  functional = fakes.FakeVectorEnvironment(num_agents=2, num_actions=3)
  environment = dm_env_adapter.MultiAgentEnvironment(functional, seed=1)
  spec = environment.observation_spec()['agent_0']['world']
  assert (spec.shape, spec.dtype, spec.name) == ((4,), np.float32, 'world')
  timestep = environment.reset()
  state, _ = functional.reset(jax.random.fold_in(jax.random.PRNGKey(1), 0))
  for i, agent_id in enumerate(environment.agent_ids):
    vector = np.full(4, -1, np.float32)
    vector[int(state.wanted[i])], vector[3] = 1, 0
    world = timestep.observation[agent_id]['world']
    assert world.dtype == np.float32
    np.testing.assert_array_equal(world, vector)


def test_specs_of_callers_are_their_own():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  environment.observation_spec()['agent_0']['more'] = None
  environment.action_spec().clear()
  assert list(environment.observation_spec()['agent_0']) == ['world']
  assert len(environment.action_spec()) == 3


def test_every_agent_gets_its_own_in_spite_of_the_dicts_order():
  # The agents' names sorted put agent_10 before agent_2.
  functional = Dice(num_agents=12)
  environment = dm_env_adapter.MultiAgentEnvironment(functional, seed=3)
  environment.reset()
  actions = {name: i % 9 for i, name in enumerate(environment.agent_ids)}
  through_jax = jax.tree_util.tree_map(lambda x: x, actions)
  assert list(through_jax) != list(actions)
  timestep = environment.step(through_jax)

  key = jax.random.fold_in(jax.random.PRNGKey(3), 0)
  state, _ = functional.reset(key)
  state, step = functional.step(state, jnp.arange(12) % 9)
  for i, agent_id in enumerate(environment.agent_ids):
    assert timestep.reward[agent_id] == i % 9 + 10
    np.testing.assert_array_equal(
      timestep.observation[agent_id]['world'], step.observation[i]
    )
  np.testing.assert_array_equal(
    environment.visible(), functional.visible(state)
  )


def test_an_episode_step_by_step():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice(episode_length=4))
  # Before a reset and after LAST, actions are ignored, be they bad.
  for begin in (environment.reset, lambda: environment.step({'me': 'ignored'})):
    timestep = begin()
    assert timestep.step_type is dm_env.StepType.FIRST
    assert timestep.reward is None
    assert timestep.discount is None
    kinds = []
    for t in range(1, 5):
      timestep = environment.step(_actions(environment, 5))
      kinds.append(timestep.step_type)
      assert timestep.reward == dict.fromkeys(environment.agent_ids, 10 * t + 5)
      assert timestep.discount == (0.5 if t == 3 else 1)
      assert timestep.discount.dtype == np.float32
      assert timestep.reward['agent_0'].dtype == np.float32
    mid, last = dm_env.StepType.MID, dm_env.StepType.LAST
    assert kinds == [mid, mid, mid, last]


def test_step_before_reset_resets():
  one, two = (
    dm_env_adapter.MultiAgentEnvironment(Dice(), seed=1) for _ in range(2)
  )
  np.testing.assert_equal(one.step({}), two.reset())


@pytest.mark.parametrize(
  'bad, named',
  [
    ({'agent_0': 0, 'agent_1': 0}, 'agent_2'),
    ({'agent_0': 0, 'agent_1': 9, 'agent_2': 0}, 'agent_1'),
    ({'agent_0': -1, 'agent_1': 0, 'agent_2': 0}, 'agent_0'),
    ({'agent_0': 0, 'agent_1': 0, 'agent_2': 1.0}, 'agent_2'),
    ({'agent_0': 0, 'agent_1': np.nan, 'agent_2': 0}, 'agent_1'),
    ({'agent_0': 0, 'agent_1': 0, 'agent_2': 0, 'me': 0}, 'me'),
    ({}, 'agent_0'),
    ([0, 0, 0], 'agent_0'),
  ],
  ids=str,
)
def test_bad_actions_raise_and_change_nothing(bad, named):
  disturbed, calm = (
    dm_env_adapter.MultiAgentEnvironment(Dice()) for _ in range(2)
  )
  disturbed.reset()
  calm.reset()
  _play(disturbed, 1)
  _play(calm, 1)
  with pytest.raises(ValueError, match=rf'{named}.*from 0 to 8'):
    disturbed.step(bad)
  np.testing.assert_equal(disturbed.save(), calm.save())
  np.testing.assert_equal(_play(disturbed, 6), _play(calm, 6))


def test_the_seed_alone_makes_the_difference():
  def shown(seed):
    return _play(dm_env_adapter.MultiAgentEnvironment(Dice(), seed=seed), 12)

  np.testing.assert_equal(shown(1), shown(1))
  with pytest.raises(AssertionError):
    np.testing.assert_equal(shown(1), shown(2))


def test_an_episode_does_not_depend_on_the_ones_before():
  played, cut = (
    dm_env_adapter.MultiAgentEnvironment(Dice(), seed=1) for _ in range(2)
  )
  first = played.reset()
  _play(played, 4)
  second = played.step({})
  cut.reset()
  _play(cut, 2)
  np.testing.assert_equal(cut.reset(), second)
  np.testing.assert_equal(_play(cut, 4), _play(played, 4))
  world = first.observation['agent_0']['world']
  assert (world != second.observation['agent_0']['world']).any()


def test_visible_belongs_to_the_caller():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  environment.reset()
  visible = environment.visible()
  assert (visible.shape, visible.dtype) == ((3, 3), bool)
  before = visible.copy()
  visible[:] = True
  np.testing.assert_array_equal(environment.visible(), before)


def test_render_shows_the_current_state():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  environment.reset()
  _play(environment, 2)
  picture = environment.render()
  assert (picture.shape, picture.dtype) == ((8, 8, 3), np.uint8)
  assert (picture == 2).all()


def test_nothing_to_show_before_the_first_episode():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  for method in (environment.visible, environment.render):
    with pytest.raises(RuntimeError, match='call reset'):
      method()


@pytest.mark.parametrize('num_steps', [0, 1, 3, 5, 6])
def test_restore_continues_exactly(num_steps):
  # Before the first episode, at FIRST, in the middle, at LAST, in the second.
  one = dm_env_adapter.MultiAgentEnvironment(Dice(), seed=1)
  _play(one, num_steps)
  state = pickle.loads(pickle.dumps(one.save()))
  for leaf in jax.tree_util.tree_leaves(state):
    assert isinstance(leaf, np.ndarray)
  expected = _play(one, 9, seed=1)
  other = dm_env_adapter.MultiAgentEnvironment(Dice(), seed=2)
  _play(other, 2)
  other.restore(state)
  np.testing.assert_equal(other.save(), state)
  np.testing.assert_equal(_play(other, 9, seed=1), expected)


def test_what_is_shown_after_restore():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  _play(environment, 3)
  state, visible = environment.save(), environment.visible()
  _play(environment, 1)
  environment.restore(state)
  np.testing.assert_array_equal(environment.visible(), visible)
  assert (environment.render() == 2).all()


def test_a_saved_state_does_not_change():
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  _play(environment, 3)
  state = environment.save()
  environment.restore(state)
  for leaf in jax.tree_util.tree_leaves(state):
    leaf[...] = 1  # What was restored is a copy.
  again = environment.save()
  _play(environment, 1)
  with pytest.raises(AssertionError):
    np.testing.assert_equal(again, state)


@pytest.mark.parametrize('other', [matrix.Coordination(), matrix.MatrixGame()])
def test_restoring_a_foreign_state_raises(other):
  environment = dm_env_adapter.MultiAgentEnvironment(Dice())
  environment.reset()
  foreign = dm_env_adapter.MultiAgentEnvironment(other)
  foreign.reset()
  before = environment.save()
  with pytest.raises(ValueError, match='does not fit.*Dice'):
    environment.restore(foreign.save())
  np.testing.assert_equal(environment.save(), before)


@pytest.mark.parametrize('seed', [-1, 2**32, np.nan])
def test_bad_seeds_raise(seed):
  with pytest.raises(ValueError, match='seed is'):
    dm_env_adapter.MultiAgentEnvironment(Dice(), seed=seed)


_TRACES: list[str] = []


@dataclasses.dataclass(frozen=True)
class TracedDice(Dice):
  def reset(self, key):
    _TRACES.append('reset')
    return super().reset(key)

  def step(self, state, actions):
    _TRACES.append('step')
    return super().step(state, actions)


def test_equal_environments_compile_once():
  _TRACES.clear()
  one = dm_env_adapter.MultiAgentEnvironment(
    TracedDice(episode_length=4), seed=1
  )
  _play(one, 12)
  two = dm_env_adapter.MultiAgentEnvironment(
    TracedDice(episode_length=4), seed=2
  )
  _play(two, 12)
  state = two.save()
  assert sorted(_TRACES) == ['reset', 'step']
  two.restore(state)
  traced = len(_TRACES)
  _play(two, 12)
  assert len(_TRACES) == traced


def test_a_step_costs_little():
  # The bar of one actor: 400 steps/s. About 15,000 are usual for this one.
  environment = dm_env_adapter.MultiAgentEnvironment(
    matrix.Coordination(num_agents=5)
  )
  actions = _actions(environment)
  _play_seconds = []
  environment.reset()
  environment.step(actions)
  for _ in range(5):
    start = time.perf_counter()
    for _ in range(100):
      environment.step(actions)
    _play_seconds.append(time.perf_counter() - start)
  assert 100 / min(_play_seconds) > 2_000


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (
      lambda s: s._replace(reward=s.reward.astype(int)),
      r'reward .* int32\[2\]',
    ),
    (lambda s: s._replace(reward=s.reward[:1]), r'reward .* float32\[1\]'),
    (
      lambda s: s._replace(observation=s.observation / 255.0),
      r'observation of Flawed is float32\[2, 5, 5, 3\]: it must be uint8',
    ),
    (
      lambda s: s._replace(discount=s.discount[None]),
      r'discount .* float32\[1\]: it must be float32\[\]',
    ),
  ],
)
def test_a_step_that_is_not_as_it_says_is_refused(change, message):
  @dataclasses.dataclass(frozen=True, kw_only=True)
  class Flawed(matrix.Coordination):
    def step(self, state, actions):
      state, step = super().step(state, actions)
      return state, change(step)

  environment = dm_env_adapter.MultiAgentEnvironment(Flawed())
  environment.reset()
  with pytest.raises(ValueError, match=message):
    environment.step(dict.fromkeys(environment.agent_ids, 0))


@pytest.mark.parametrize(
  'name, time', [case[:2] for case in broken_vectors.CASES]
)
def test_what_is_not_finite_names_agent_and_step(name, time):
  functional = broken_vectors.BrokenVectors(name=name, time=time)
  environment = dm_env_adapter.MultiAgentEnvironment(functional)
  actions = dict.fromkeys(environment.agent_ids, 0)
  who = 'all agents' if name == 'discount' else 'agent_1'
  with pytest.raises(ValueError, match=f"'{who}' at step {time} of .* nan"):
    environment.reset()
    for _ in range(functional.episode_length):
      environment.step(actions)
