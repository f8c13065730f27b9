"""Specs and time steps of many agents: slices, stacks, and refusals."""

import dm_env
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs as dm_specs

from influence_acme.system import specs

AGENTS = ('agent_0', 'agent_1', 'agent_2')


def _view(height=2):
  return {
    'world': dm_specs.BoundedArray((height, 3, 3), np.uint8, 0, 255),
    'actions': dm_specs.BoundedArray((3,), np.int32, -1, 4),
  }


def _environment_spec(agent_ids=AGENTS, **overrides):
  """A multi-agent spec; overrides change one agent's part of a field."""
  spec = specs.EnvironmentSpec(
    observations={a: _view() for a in agent_ids},
    actions={a: dm_specs.DiscreteArray(5) for a in agent_ids},
    rewards={a: dm_specs.Array((), np.float32) for a in agent_ids},
    discounts=dm_specs.BoundedArray((), np.float32, 0, 1),
  )
  for field, change in overrides.items():
    getattr(spec, field).update(change)
  return spec


def _timestep(agent_ids=AGENTS, first=False):
  """A step whose every number is its agent's index."""
  observation = {
    a: {
      'world': np.full((2, 3, 3), i, np.uint8),
      'actions': np.full(3, i, np.int32),
    }
    for i, a in enumerate(agent_ids)
  }
  if first:
    return dm_env.restart(observation)
  # Plain Python floats, as a careless environment gives them.
  reward = {a: float(i) for i, a in enumerate(agent_ids)}
  return dm_env.transition(reward=reward, observation=observation, discount=0.5)


def test_agent_spec_is_the_agents_slice():
  odd = dm_specs.DiscreteArray(7)
  spec = specs.agent_spec(
    _environment_spec(actions={'agent_1': odd}), 'agent_1'
  )
  assert spec.actions is odd
  assert spec.observations == _view()
  assert spec.rewards == dm_specs.Array((), np.float32)
  assert spec.discounts == dm_specs.BoundedArray((), np.float32, 0, 1)


def test_acmes_record_serves_as_well():
  acme_specs = pytest.importorskip('acme.specs')
  ours = _environment_spec()
  theirs = acme_specs.EnvironmentSpec(*ours)
  for of_theirs, of_ours in (
    (specs.agent_spec(theirs, 'agent_1'), specs.agent_spec(ours, 'agent_1')),
    (specs.stacked_spec(theirs, AGENTS), specs.stacked_spec(ours, AGENTS)),
  ):
    assert isinstance(of_theirs, acme_specs.EnvironmentSpec)
    assert tuple(of_theirs) == tuple(of_ours)


@pytest.mark.parametrize('unknown', ['agent_3', 'world', ''])
def test_agent_spec_refuses_an_unknown_agent(unknown):
  with pytest.raises(ValueError, match='agent_0, agent_1, agent_2'):
    specs.agent_spec(_environment_spec(), unknown)


def test_agent_spec_refuses_a_single_agent_environment():
  single = specs.agent_spec(_environment_spec(), 'agent_0')
  with pytest.raises(ValueError, match="no agent 'agent_0'"):
    specs.agent_spec(single, 'agent_0')


def test_stacked_spec():
  spec = specs.stacked_spec(_environment_spec(), AGENTS)
  world = dm_specs.BoundedArray((3, 2, 3, 3), np.uint8, 0, 255)
  assert spec.observations == {
    'world': world,
    'actions': dm_specs.BoundedArray((3, 3), np.int32, -1, 4),
  }
  assert spec.actions == dm_specs.BoundedArray((3,), np.int32, 0, 4)
  assert spec.rewards == dm_specs.Array((3,), np.float32)
  assert spec.discounts == dm_specs.BoundedArray((), np.float32, 0, 1)


def test_stacked_spec_of_nested_actions_and_wide_dtypes():
  nested = {
    'action': dm_specs.DiscreteArray(5, np.int64),
    'message': dm_specs.DiscreteArray(2),
  }
  spec = _environment_spec(actions=dict.fromkeys(AGENTS, nested))
  spec.rewards.update({a: dm_specs.Array((), np.float64) for a in AGENTS})
  stacked = specs.stacked_spec(spec, AGENTS)
  assert stacked.actions == {
    'action': dm_specs.BoundedArray((3,), np.int32, 0, 4),
    'message': dm_specs.BoundedArray((3,), np.int32, 0, 1),
  }
  assert stacked.rewards.dtype == np.float32


def test_stacked_spec_keeps_bounds_that_differ_within_an_array():
  low, high = np.array([-1.0, -2.0]), np.array([1.0, 3.0])
  box = dm_specs.BoundedArray((2,), np.float32, low, high)
  stacked = specs.stacked_spec(
    _environment_spec(actions=dict.fromkeys(AGENTS, box)), AGENTS
  )
  assert stacked.actions.shape == (3, 2)
  stacked.actions.validate(np.array([high, low, high], np.float32))
  with pytest.raises(ValueError):
    stacked.actions.validate(np.array([high, low - 1, high], np.float32))


@pytest.mark.parametrize(
  ('field', 'change'),
  [
    ('actions', {'agent_2': dm_specs.DiscreteArray(6)}),
    ('actions', {'agent_2': dm_specs.BoundedArray((), np.int32, 0, 4)}),
    ('observations', {'agent_2': _view(height=1)}),
    ('observations', {'agent_2': {'world': _view()['world']}}),
    ('rewards', {'agent_2': dm_specs.Array((1,), np.float32)}),
  ],
)
def test_stacked_spec_names_the_agents_that_differ(field, change):
  with pytest.raises(ValueError, match=rf'agent_2 \({field}\)') as error:
    specs.stacked_spec(_environment_spec(**{field: change}), AGENTS)
  assert 'agent_1' not in str(error.value)


def test_stacked_spec_refuses_no_agents_and_unknown_agents():
  with pytest.raises(ValueError, match='agent_ids is empty'):
    specs.stacked_spec(_environment_spec(), ())
  with pytest.raises(ValueError, match="no agent 'agent_9'"):
    specs.stacked_spec(_environment_spec(), (*AGENTS, 'agent_9'))


def test_agent_timestep():
  step = specs.agent_timestep(_timestep(), 'agent_2')
  assert step.mid() and step.reward == 2.0 and step.discount == 0.5
  np.testing.assert_array_equal(step.observation['actions'], [2, 2, 2])


def test_agent_timestep_of_a_first_step_has_no_reward():
  step = specs.agent_timestep(_timestep(first=True), 'agent_1')
  assert step.first() and step.reward is None and step.discount is None


def test_stack_timestep_follows_its_spec():
  stacked = specs.stack_timestep(_timestep(), AGENTS)
  spec = specs.stacked_spec(_environment_spec(), AGENTS)
  assert stacked.step_type == dm_env.StepType.MID
  for key, array in stacked.observation.items():
    spec.observations[key].validate(array)
    for index in range(3):
      assert (array[index] == index).all()
  spec.rewards.validate(stacked.reward)
  spec.discounts.validate(stacked.discount)
  np.testing.assert_array_equal(stacked.reward, [0, 1, 2])
  assert stacked.discount == 0.5


def test_stack_timestep_keeps_the_none_of_a_first_step():
  stacked = specs.stack_timestep(_timestep(first=True), AGENTS)
  assert stacked.first()
  assert stacked.reward is None and stacked.discount is None
  assert stacked.observation['world'].shape == (3, 2, 3, 3)


def test_stack_timestep_of_plain_arrays():
  plain = dm_env.restart({a: np.array([i]) for i, a in enumerate(AGENTS)})
  stacked = specs.stack_timestep(plain, AGENTS)
  np.testing.assert_array_equal(stacked.observation, [[0], [1], [2]])


@pytest.mark.parametrize('library', [np, jnp])
def test_unstack_actions(library):
  actions = library.array([3, 1, 2], np.int32)
  by_agent = specs.unstack_actions(actions, AGENTS)
  assert by_agent == {'agent_0': 3, 'agent_1': 1, 'agent_2': 2}
  for action in by_agent.values():
    dm_specs.DiscreteArray(5).validate(action)


def test_unstack_nested_actions():
  actions = {'action': np.array([3, 1]), 'message': np.array([0, 7])}
  assert specs.unstack_actions(actions, AGENTS[:2]) == {
    'agent_0': {'action': 3, 'message': 0},
    'agent_1': {'action': 1, 'message': 7},
  }


@pytest.mark.parametrize('shape', [(), (2,), (4,)])
def test_unstack_actions_refuses_another_number_of_agents(shape):
  with pytest.raises(ValueError, match='the 3 agents agent_0'):
    specs.unstack_actions(np.zeros(shape, np.int32), AGENTS)


def test_agent_10_stays_behind_agent_2():
  agent_ids = tuple(f'agent_{i}' for i in range(12))
  assert sorted(agent_ids) != list(agent_ids)
  # JAX hands dicts back with sorted keys; the order must survive that.
  sorted_step = _timestep(agent_ids)
  sorted_step = sorted_step._replace(
    observation={a: sorted_step.observation[a] for a in sorted(agent_ids)},
    reward={a: sorted_step.reward[a] for a in sorted(agent_ids)},
  )
  stacked = specs.stack_timestep(sorted_step, agent_ids)
  np.testing.assert_array_equal(stacked.reward, np.arange(12))
  np.testing.assert_array_equal(
    stacked.observation['actions'][:, 0], np.arange(12)
  )
  actions = specs.unstack_actions(np.arange(12), agent_ids)
  assert actions['agent_2'] == 2 and actions['agent_10'] == 10

  spec = _environment_spec(sorted(agent_ids))
  spec.actions['agent_10'] = dm_specs.DiscreteArray(6)
  with pytest.raises(ValueError, match=r': agent_10 \(actions\)\.'):
    specs.stacked_spec(spec, agent_ids)
