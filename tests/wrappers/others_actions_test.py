import jax
import numpy as np
import pytest
from dm_env import specs

from influence_acme import environments, wrappers
from influence_acme.testing import conformance, fakes


class _Blinking(fakes.FakeMultiAgentEnvironment):
  """After t actions, agent i sees agent (i + t) % N, and nobody else."""

  def visible(self):
    n, t = len(self.agent_ids), self.shown
    others = ~np.eye(n, dtype=bool)
    return np.eye(n, dtype=bool)[(np.arange(n) + t) % n] & others

  def reset(self):
    self.shown = 0
    return super().reset()

  def step(self, action):
    self.shown = 0 if self._time is None else self._time + 1
    return super().step(action)


def _actions(environment, *actions):
  return dict(zip(environment.agent_ids, actions, strict=True))


@pytest.mark.parametrize(
  'environment',
  [
    fakes.FakeMultiAgentEnvironment(num_agents=12),
    _Blinking(num_agents=3),
    environments.make('matrix', num_agents=3),
  ],
  ids=lambda environment: type(environment).__name__,
)
def test_keeps_the_contract(environment):
  conformance.check_environment(wrappers.OthersActionsWrapper(environment))


def test_specs():
  inner = fakes.FakeMultiAgentEnvironment(num_agents=3, num_actions=7)
  environment = wrappers.OthersActionsWrapper(inner)
  before = inner.observation_spec()
  spec = environment.observation_spec()
  assert tuple(spec) == environment.agent_ids
  for agent_id in environment.agent_ids:
    assert list(spec[agent_id]) == ['world', 'actions', 'visible']
    actions = spec[agent_id]['actions']
    assert isinstance(actions, specs.BoundedArray)
    assert (actions.shape, actions.dtype) == ((3,), np.int32)
    assert (actions.minimum, actions.maximum) == (-1, 6)
    visible = spec[agent_id]['visible']
    assert (visible.shape, visible.dtype) == ((3,), bool)
  assert inner.observation_spec() == before
  assert environment.action_spec() == inner.action_spec()


def test_actions_are_those_of_the_step_before():
  inner = fakes.FakeMultiAgentEnvironment(num_agents=3, episode_length=2)
  environment = wrappers.OthersActionsWrapper(inner)
  plays = [(0, 1, 2), (2, 2, 0), (1, 1, 1), (0, 0, 1)]
  shown = [(-1, -1, -1), (0, 1, 2), (2, 2, 0), (-1, -1, -1), (0, 0, 1)]
  timesteps = [environment.reset()]
  timesteps += [environment.step(_actions(environment, *p)) for p in plays]
  for timestep, expected in zip(timesteps, shown, strict=True):
    for agent_id in environment.agent_ids:
      actions = timestep.observation[agent_id]['actions']
      assert actions.dtype == np.int32
      np.testing.assert_array_equal(actions, expected)
  assert [t.first() for t in timesteps] == [True, False, False, True, False]


def test_nobody_has_acted_after_a_reset_in_mid_episode():
  environment = wrappers.OthersActionsWrapper(fakes.FakeMultiAgentEnvironment())
  environment.reset()
  environment.step(_actions(environment, 1, 2))
  observation = environment.reset().observation['agent_0']
  np.testing.assert_array_equal(observation['actions'], [-1, -1])


def test_actions_stand_in_the_agents_order():
  inner = fakes.FakeMultiAgentEnvironment(num_agents=12, num_actions=12)
  environment = wrappers.OthersActionsWrapper(inner)
  environment.reset()
  # What passed through JAX has agent_10 before agent_2.
  actions = jax.tree_util.tree_map(np.int32, _actions(environment, *range(12)))
  assert list(actions)[2] == 'agent_10'
  timestep = environment.step(actions)
  for i, agent_id in enumerate(environment.agent_ids):
    own = timestep.observation[agent_id]
    np.testing.assert_array_equal(own['actions'], np.arange(12))
    np.testing.assert_array_equal(own['visible'], np.arange(12) != i)
    assert (own['world'] == 12 + i).all()


def test_refused_actions_are_not_shown():
  environment = wrappers.OthersActionsWrapper(environments.make('matrix'))
  environment.reset()
  environment.step(_actions(environment, 1, 0))
  before = environment.save()
  with pytest.raises(ValueError, match="'agent_1'.*from 0 to 1"):
    environment.step(_actions(environment, 0, 2))
  np.testing.assert_equal(environment.save(), before)
  observation = environment.step(_actions(environment, 1, 1)).observation
  np.testing.assert_array_equal(observation['agent_0']['actions'], [1, 1])


def test_visible_is_that_of_this_step():
  environment = wrappers.OthersActionsWrapper(_Blinking(num_agents=3))
  expected = [
    [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
    [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
  ]
  timesteps = [environment.reset()]
  for _ in range(2):
    timesteps.append(environment.step(_actions(environment, 0, 0, 0)))
  for timestep, rows in zip(timesteps, expected, strict=True):
    for row, agent_id in zip(rows, environment.agent_ids, strict=True):
      visible = timestep.observation[agent_id]['visible']
      assert visible.dtype == bool
      np.testing.assert_array_equal(visible, row)


def test_visible_fn_where_the_environment_has_none():
  inner = fakes.FakeMultiAgentEnvironment()

  def visible_fn(timestep):
    # agent_0 sees agent_1 on the first step; agent_1 sees agent_0 later.
    return np.array([[True, timestep.first()], [not timestep.first(), True]])

  environment = wrappers.OthersActionsWrapper(inner, visible_fn)
  first = environment.reset().observation
  np.testing.assert_array_equal(first['agent_0']['visible'], [0, 1])
  np.testing.assert_array_equal(first['agent_1']['visible'], [0, 0])
  second = environment.step(_actions(environment, 0, 0)).observation
  np.testing.assert_array_equal(second['agent_0']['visible'], [0, 0])
  np.testing.assert_array_equal(second['agent_1']['visible'], [1, 0])


def test_the_environments_own_visible_comes_first():
  environment = wrappers.OthersActionsWrapper(
    _Blinking(num_agents=2), visible_fn=lambda _: np.ones((2, 2))
  )
  observation = environment.reset().observation
  assert not observation['agent_0']['visible'].any()


def test_visibility_of_a_wrong_shape_raises():
  environment = wrappers.OthersActionsWrapper(
    fakes.FakeMultiAgentEnvironment(), visible_fn=lambda _: np.ones(2)
  )
  with pytest.raises(ValueError, match=r'shape \(2,\).*must be \(2, 2\)'):
    environment.reset()


def test_observations_belong_to_the_caller():
  environment = wrappers.OthersActionsWrapper(environments.make('matrix'))
  environment.reset()
  observation = environment.step(_actions(environment, 1, 0)).observation
  observation['agent_0']['actions'][:] = 7
  observation['agent_0']['visible'][:] = True
  np.testing.assert_array_equal(observation['agent_1']['actions'], [1, 0])
  np.testing.assert_array_equal(environment.save()['actions'], [1, 0])
  np.testing.assert_array_equal(environment.visible()[0], [False, True])


def test_save_and_restore_in_mid_episode():
  environment = wrappers.OthersActionsWrapper(environments.make('matrix'))
  environment.reset()
  environment.step(_actions(environment, 1, 0))
  state = environment.save()
  plays = [_actions(environment, 0, 1)] * 3
  expected = [environment.step(actions) for actions in plays]
  other = wrappers.OthersActionsWrapper(environments.make('matrix', seed=9))
  other.restore(state)
  np.testing.assert_equal(other.save(), state)
  np.testing.assert_equal([other.step(a) for a in plays], expected)
  np.testing.assert_array_equal(state['actions'], [1, 0])


def test_wrapping_twice_raises():
  environment = wrappers.OthersActionsWrapper(fakes.FakeMultiAgentEnvironment())
  with pytest.raises(ValueError, match="'actions' already"):
    wrappers.OthersActionsWrapper(environment)


def test_composite_actions_raise():
  class Speaking(fakes.FakeMultiAgentEnvironment):
    def action_spec(self):
      inner = super().action_spec()
      return {k: {'action': v, 'message': v} for k, v in inner.items()}

  with pytest.raises(ValueError, match='outside this one'):
    wrappers.OthersActionsWrapper(Speaking())


def test_observations_that_are_no_dicts_raise():
  class Plain(fakes.FakeMultiAgentEnvironment):
    def observation_spec(self):
      return {k: v['world'] for k, v in super().observation_spec().items()}

  with pytest.raises(ValueError, match='must be a dict'):
    wrappers.OthersActionsWrapper(Plain())
