import numpy as np
import pytest
from dm_env import specs

from influence_acme import environments, wrappers
from influence_acme.testing import fakes


def _copy_agent_0(observation):
  return max(observation['actions'][0], 0)


def _two_copiers(agent_id='agent_0'):
  environment = wrappers.OthersActionsWrapper(
    environments.make('coordination', num_agents=3, episode_length=3)
  )
  others = [name for name in environment.agent_ids if name != agent_id]
  policies = dict.fromkeys(others, _copy_agent_0)
  return wrappers.SingleAgentView(environment, agent_id, policies)


def test_specs_are_the_agents():
  environment = _two_copiers()
  assert isinstance(environment.action_spec(), specs.DiscreteArray)
  assert list(environment.observation_spec()) == ['world', 'actions', 'visible']
  assert environment.reward_spec().shape == ()
  assert environment.discount_spec().shape == ()


def test_the_policies_play_the_others():
  environment = _two_copiers()
  timestep = environment.reset()
  assert timestep.first()
  assert timestep.reward is None
  np.testing.assert_array_equal(timestep.observation['actions'], [-1] * 3)
  # The others play what agent_0 played one step before: 0, 2, 2.
  rows = [(2, [2, 0, 0], 0), (2, [2, 2, 2], 1), (1, [1, 2, 2], 0)]
  for action, actions, reward in rows:
    timestep = environment.step(action)
    np.testing.assert_array_equal(timestep.observation['actions'], actions)
    assert timestep.reward == reward
    environment.observation_spec()['world'].validate(
      timestep.observation['world']
    )
    environment.reward_spec().validate(timestep.reward)
  assert timestep.last()
  assert timestep.discount == 1


def test_starts_anew_as_any_dm_env():
  environment = _two_copiers()
  assert environment.step(0).first()
  kinds = [environment.step(0).step_type for _ in range(5)]
  assert kinds == [1, 1, 2, 0, 1]
  assert environment.reset().first()


def test_every_policy_gets_its_own_observation():
  seen = {}

  def policy(name):
    def act(observation):
      seen[name] = observation['world'].flat[0]
      return 0

    return act

  inner = fakes.FakeMultiAgentEnvironment(num_agents=3)
  environment = wrappers.SingleAgentView(
    inner, 'agent_1', {name: policy(name) for name in ('agent_2', 'agent_0')}
  )
  first = environment.reset()
  assert (first.observation['world'] == 1).all()
  second = environment.step(0)
  assert seen == {'agent_0': 0, 'agent_2': 2}
  assert (second.observation['world'] == 4).all()
  environment.step(0)
  assert seen == {'agent_0': 3, 'agent_2': 5}


def test_policies_do_not_act_at_the_start_of_an_episode():
  calls = []

  def policy(observation):
    calls.append(observation)
    return 0

  inner = fakes.FakeMultiAgentEnvironment(episode_length=1)
  environment = wrappers.SingleAgentView(inner, 'agent_0', {'agent_1': policy})
  environment.step(0)  # Starts the episode.
  environment.step(0)
  environment.step(0)  # Starts the next one.
  assert len(calls) == 1


@pytest.mark.parametrize('bad', [3, -1, 1.0, None])
def test_bad_actions_raise_and_change_nothing(bad):
  environment = _two_copiers()
  environment.reset()
  environment.step(2)
  with pytest.raises(ValueError, match="'agent_0'.*from 0 to 2"):
    environment.step(bad)
  observation = environment.step(1).observation
  np.testing.assert_array_equal(observation['actions'], [1, 2, 2])


def test_bad_actions_of_a_policy_name_its_agent():
  environment = wrappers.SingleAgentView(
    fakes.FakeMultiAgentEnvironment(), 'agent_0', {'agent_1': lambda _: 9}
  )
  environment.reset()
  with pytest.raises(ValueError, match="'agent_1' is 9"):
    environment.step(0)


@pytest.mark.parametrize('num_steps', [0, 1, 2, 4])
def test_restore_continues_exactly(num_steps):
  environment, other = _two_copiers(), _two_copiers()
  for _ in range(num_steps):
    environment.step(2)
  state = environment.save()
  expected = [environment.step(1) for _ in range(5)]
  other.restore(state)
  np.testing.assert_equal([other.step(1) for _ in range(5)], expected)


@pytest.mark.parametrize(
  'agent_id, others, message',
  [
    ('agent_3', ('agent_0', 'agent_1', 'agent_2'), "Unknown agent 'agent_3'"),
    ('agent_0', ('agent_1',), r"missing are \['agent_2'\]"),
    ('agent_0', ('agent_1', 'agent_2', 'me'), r"not among them \['me'\]"),
    ('agent_0', ('agent_0', 'agent_1', 'agent_2'), r"them \['agent_0'\]"),
  ],
)
def test_policies_must_be_those_of_the_others(agent_id, others, message):
  inner = fakes.FakeMultiAgentEnvironment(num_agents=3)
  with pytest.raises(ValueError, match=message):
    wrappers.SingleAgentView(inner, agent_id, dict.fromkeys(others, len))


def test_everyone_may_act_and_speak():
  def echo(observation):
    """Says what agent_0 said last, and acts by what it says."""
    heard = max(observation['messages'][0], 0)
    return {'action': heard, 'message': heard}

  environment = wrappers.SingleAgentView(
    wrappers.MessageChannelWrapper(
      environments.make('coordination', num_agents=3, episode_length=3), 3
    ),
    'agent_0',
    {'agent_1': echo, 'agent_2': echo},
  )
  assert list(environment.action_spec()) == ['action', 'message']
  assert list(environment.observation_spec()) == ['world', 'messages']
  timestep = environment.reset()
  np.testing.assert_array_equal(timestep.observation['messages'], [-1] * 3)
  # The others echo 0, 2, 1; agent_0 gets 1 where it plays the same.
  rows = [(0, 2, [2, 0, 0], 1), (2, 1, [1, 2, 2], 1), (2, 0, [0, 1, 1], 0)]
  for action, message, heard, reward in rows:
    before = environment.save()
    with pytest.raises(ValueError, match="Message of 'agent_0' is 3"):
      environment.step({'action': action, 'message': 3})
    np.testing.assert_equal(environment.save(), before)
    timestep = environment.step({'action': action, 'message': message})
    np.testing.assert_array_equal(timestep.observation['messages'], heard)
    assert timestep.reward == reward
  assert timestep.last()
  assert environment.step(None).first()
