import dm_env
import jax
import numpy as np
import pytest

from influence_acme import environments, wrappers
from influence_acme.testing import conformance, fakes

FIRST, MID, LAST = dm_env.StepType


def _episode(environment):
  """Plays until the end of the first episode."""
  actions = dict.fromkeys(environment.agent_ids, 0)
  timesteps = [environment.reset()]
  while not timesteps[-1].last():
    timesteps.append(environment.step(actions))
  return timesteps


@pytest.mark.parametrize('num_agents', [1, 2, 11])
def test_keeps_the_contract(num_agents):
  environment = fakes.FakeMultiAgentEnvironment(num_agents=num_agents)
  conformance.check_environment(environment)


def test_time_limit_by_default():
  environment = fakes.FakeMultiAgentEnvironment(episode_length=3)
  timesteps = _episode(environment)
  assert [t.step_type for t in timesteps] == [FIRST, MID, MID, LAST]
  assert [t.discount for t in timesteps] == [None, 1, 1, 1]
  assert timesteps[1].reward == {'agent_0': 1, 'agent_1': 1}


def test_death():
  script = fakes.death(2, reward=-3.0)
  environment = fakes.FakeMultiAgentEnvironment(script=script)
  timesteps = _episode(environment)
  assert [t.step_type for t in timesteps] == [FIRST, MID, LAST]
  assert [t.discount for t in timesteps] == [None, 1, 0]
  assert timesteps[-1].reward == {'agent_0': -3, 'agent_1': -3}


def test_a_script_of_plain_tuples():
  environment = fakes.FakeMultiAgentEnvironment(
    script=[((1, 2), 1.0, MID), (5, 0.5, MID), ((0, -1), 0.0, LAST)]
  )
  for _ in range(2):  # Every episode is the same.
    timesteps = _episode(environment)
    assert [t.reward for t in timesteps] == [
      None,
      {'agent_0': 1, 'agent_1': 2},
      {'agent_0': 5, 'agent_1': 5},
      {'agent_0': 0, 'agent_1': -1},
    ]
    assert [t.discount for t in timesteps] == [None, 1, 0.5, 0]


def test_worlds_tell_time_and_agent():
  environment = fakes.FakeMultiAgentEnvironment(
    num_agents=3, observation_shape=(7, 6, 3)
  )
  for t, timestep in enumerate(_episode(environment)):
    for i, agent_id in enumerate(environment.agent_ids):
      world = timestep.observation[agent_id]['world']
      np.testing.assert_array_equal(
        world, np.full((7, 6, 3), 3 * t + i, np.uint8)
      )


@pytest.mark.parametrize(
  'script',
  [
    [],
    [(0, 1, MID)],
    [(0, 1, LAST), (0, 1, LAST)],
    [(0, 1, LAST), (0, 1, MID)],
  ],
)
def test_scripts_without_a_proper_end_raise(script):
  with pytest.raises(ValueError, match='LAST'):
    fakes.FakeMultiAgentEnvironment(script=script)


# Vectors.


@pytest.mark.parametrize(
  'fields', [{}, {'num_agents': 11, 'num_actions': 2, 'episode_length': 1}]
)
def test_vectors_keep_the_contracts(fields):
  functional = fakes.FakeVectorEnvironment(**fields)
  conformance.check_functional(functional, num_steps=30)
  environment = environments.MultiAgentEnvironment(functional)
  conformance.check_environment(environment)


def test_vectors_pass_through_the_wrappers():
  functional = fakes.FakeVectorEnvironment()
  environment = environments.MultiAgentEnvironment(functional)
  environment = wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(environment), 2
  )
  spec = environment.observation_spec()['agent_1']['world']
  assert (spec.shape, spec.dtype) == ((4,), np.float32)
  conformance.check_environment(environment)


def test_vectors_tell_what_is_wanted_and_when():
  functional = fakes.FakeVectorEnvironment(num_agents=2, num_actions=3)
  state, step = jax.jit(functional.reset)(jax.random.PRNGKey(0))
  for t in range(6):
    wanted = np.asarray(state.wanted)
    expected = np.full((2, 4), -1, np.float32)
    expected[np.arange(2), wanted] = 1
    expected[:, 3] = t
    np.testing.assert_array_equal(step.observation, expected)
    # The first agent does what is wanted, the second does not.
    actions = np.array([wanted[0], (wanted[1] + 1) % 3], np.int32)
    state, step = jax.jit(functional.step)(state, actions)
    starts = t == 5
    assert step.reward.tolist() == [0 if starts else 1, 0]
    kind = LAST if t == 4 else FIRST if starts else MID
    assert step.step_type == kind
