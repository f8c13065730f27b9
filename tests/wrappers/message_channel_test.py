import jax
import numpy as np
import pytest
from dm_env import specs

from influence_acme import environments, wrappers
from influence_acme.testing import conformance, fakes


class _Uneven(fakes.FakeMultiAgentEnvironment):
  """Agent i chooses from 2 + i actions; it is played unchecked."""

  def __init__(self):
    super().__init__(num_agents=3)
    self.played = []

  def action_spec(self):
    return {a: specs.DiscreteArray(2 + i) for i, a in enumerate(self.agent_ids)}

  def step(self, action):
    self.played.append(action)
    return super().step(dict.fromkeys(self.agent_ids, 0))


def _fake(num_symbols=4, **kwargs):
  inner = fakes.FakeMultiAgentEnvironment(**kwargs)
  return wrappers.MessageChannelWrapper(inner, num_symbols)


def _matrix(num_symbols=3, **kwargs):
  inner = wrappers.OthersActionsWrapper(environments.make('matrix', **kwargs))
  return wrappers.MessageChannelWrapper(inner, num_symbols)


def _say(environment, *messages, action=0):
  """Everyone's action, with each agent's message."""
  return {
    agent_id: {'action': action, 'message': message}
    for agent_id, message in zip(environment.agent_ids, messages, strict=True)
  }


def _heard(environment, timestep):
  """What everyone hears, if it is the same and follows the spec."""
  spec = environment.observation_spec()
  observed = [timestep.observation[a]['messages'] for a in spec]
  for agent_id, messages in zip(spec, observed, strict=True):
    spec[agent_id]['messages'].validate(messages)
    np.testing.assert_array_equal(messages, observed[0])
  return observed[0].tolist()


@pytest.mark.parametrize(
  'environment',
  [
    _fake(num_agents=12),
    _fake(num_symbols=1, num_agents=1),
    _matrix(num_agents=3, episode_length=4),
  ],
  ids=['fake', 'alone', 'matrix'],
)
def test_keeps_the_contract(environment):
  conformance.check_environment(environment)


def test_specs():
  inner = wrappers.OthersActionsWrapper(
    fakes.FakeMultiAgentEnvironment(num_agents=3, num_actions=7)
  )
  before = inner.action_spec(), inner.observation_spec()
  environment = wrappers.MessageChannelWrapper(inner, num_symbols=5)
  action_spec, spec = environment.action_spec(), environment.observation_spec()
  assert tuple(action_spec) == tuple(spec) == environment.agent_ids
  for agent_id in environment.agent_ids:
    own = action_spec[agent_id]
    assert list(own) == ['action', 'message']
    assert own['action'] == before[0][agent_id]
    assert own['message'] == specs.DiscreteArray(5, np.int32, name='message')
    assert list(spec[agent_id]) == ['world', 'actions', 'visible', 'messages']
    messages = spec[agent_id]['messages']
    assert isinstance(messages, specs.BoundedArray)
    assert (messages.shape, messages.dtype) == ((3,), np.int32)
    assert (messages.minimum, messages.maximum) == (-1, 4)
  assert (inner.action_spec(), inner.observation_spec()) == before
  assert environment.reward_spec() == inner.reward_spec()
  assert environment.discount_spec() == inner.discount_spec()


def test_what_is_said_is_heard_one_step_later():
  environment = _fake(num_agents=3, episode_length=2)
  plays = [(0, 1, 2), (3, 3, 0), (1, 1, 1), (2, 0, 3)]
  heard = [[-1] * 3, [0, 1, 2], [3, 3, 0], [-1] * 3, [2, 0, 3]]
  timesteps = [environment.reset()]
  timesteps += [environment.step(_say(environment, *m)) for m in plays]
  assert [_heard(environment, t) for t in timesteps] == heard
  assert [int(t.step_type) for t in timesteps] == [0, 1, 2, 0, 1]


def test_nobody_has_spoken_before_the_first_step_or_after_a_reset():
  environment = _fake()
  assert _heard(environment, environment.step(None)) == [-1, -1]
  assert _heard(environment, environment.step(_say(environment, 1, 2))) == [
    1,
    2,
  ]
  assert _heard(environment, environment.reset()) == [-1, -1]


def test_actions_and_messages_do_not_mix():
  environment = _matrix(num_agents=2)
  environment.reset()
  timestep = environment.step(
    {
      'agent_1': {'message': 2, 'action': 0},
      'agent_0': {'action': 1, 'message': 1},
    }
  )
  for agent_id in environment.agent_ids:
    own = timestep.observation[agent_id]
    np.testing.assert_array_equal(own['actions'], [1, 0])
    np.testing.assert_array_equal(own['messages'], [1, 2])
  # The prisoner's dilemma: agent_0 defects, agent_1 cooperates.
  assert timestep.reward == {'agent_0': 4, 'agent_1': 0}


def test_messages_stand_in_the_agents_order():
  environment = _fake(num_symbols=12, num_agents=12, num_actions=12)
  environment.reset()
  said = _say(environment, *range(12))
  # What passed through JAX has agent_10 before agent_2.
  said = jax.tree_util.tree_map(np.int32, said)
  assert list(said)[2] == 'agent_10'
  timestep = environment.step(said)
  assert list(timestep.observation) == list(environment.agent_ids)
  assert _heard(environment, timestep) == list(range(12))


MALFORMED = {
  'no message': {'action': 1},
  'no action': {'message': 1},
  'unknown entry': {'action': 1, 'message': 1, 'mesage': 0},
  'no dict': 1,
  'None': None,
}


@pytest.mark.parametrize('own', MALFORMED.values(), ids=MALFORMED)
def test_malformed_actions_raise(own):
  environment = _fake()
  environment.reset()
  with pytest.raises(
    ValueError, match=r"'agent_1' is .*from 0 to 2 .*from 0 to 3 \(4 messages"
  ):
    environment.step({**_say(environment, 0, 0), 'agent_1': own})


@pytest.mark.parametrize('bad', [-1, 4, 2**40, 1.0, np.nan, True, '1', None])
@pytest.mark.parametrize('name', ['action', 'message'])
def test_bad_numbers_raise_and_change_nothing(name, bad):
  environment = _matrix(num_symbols=4)
  environment.reset()
  environment.step(_say(environment, 3, 2, action=1))
  before = environment.save()
  said = _say(environment, 1, 1)
  said['agent_1'][name] = bad
  highest = {'action': 1, 'message': 3}[name]
  with pytest.raises(
    ValueError, match=f"{name.title()} of 'agent_1' is .*from 0 to {highest}"
  ):
    environment.step(said)
  np.testing.assert_equal(environment.save(), before)
  assert _heard(environment, environment.step(_say(environment, 0, 1))) == [
    0,
    1,
  ]


@pytest.mark.parametrize(
  'change, error',
  [
    (lambda said: said.pop('agent_1'), "No action for 'agent_1'.*from 0 to 3"),
    (lambda said: said.update(me=said['agent_0']), "unknown agent 'me'.*to 3"),
  ],
)
def test_missing_and_unknown_agents_raise(change, error):
  environment = _fake()
  environment.reset()
  said = _say(environment, 1, 2)
  change(said)
  with pytest.raises(ValueError, match=error):
    environment.step(said)
  with pytest.raises(ValueError, match='give a dict.*from 0 to 2.*from 0 to 3'):
    environment.step(list(said.values()))


def test_the_wrapped_environment_gets_nothing_before_all_was_checked():
  inner = _Uneven()
  environment = wrappers.MessageChannelWrapper(inner, num_symbols=2)
  environment.reset()
  with pytest.raises(ValueError, match="Action of 'agent_0' is 2.*from 0 to 1"):
    environment.step(_say(environment, 0, 0, 0, action=2))
  with pytest.raises(ValueError, match="Message of 'agent_2' is 2"):
    environment.step(_say(environment, 0, 0, 2, action=1))
  assert inner.played == []
  environment.step(_say(environment, 0, 1, 1, action=1))
  assert inner.played == [dict.fromkeys(inner.agent_ids, 1)]


def test_observations_and_saved_states_belong_to_the_caller():
  environment = _matrix()
  environment.reset()
  observation = environment.step(_say(environment, 1, 2)).observation
  observation['agent_0']['messages'][:] = 7
  environment.save()['messages'][:] = 7
  np.testing.assert_array_equal(observation['agent_1']['messages'], [1, 2])
  np.testing.assert_array_equal(environment.save()['messages'], [1, 2])


@pytest.mark.parametrize('num_steps', [0, 1, 2, 3, 4])
def test_restore_continues_exactly(num_steps):
  environment = _matrix(episode_length=2)
  for _ in range(num_steps):
    environment.step(_say(environment, 1, 2))
  state = environment.save()
  plays = [_say(environment, *m) for m in [(0, 2), (2, 1), (1, 1), (2, 2)]]
  expected = [environment.step(play) for play in plays]
  other = _matrix(episode_length=2)
  other.reset()
  other.restore(state)
  np.testing.assert_equal(other.save(), state)
  np.testing.assert_equal([other.step(play) for play in plays], expected)


@pytest.mark.parametrize('num_symbols', [0, -1, 2.0, None, '3'])
def test_the_number_of_symbols_is_checked(num_symbols):
  with pytest.raises(ValueError, match=f'num_symbols is {num_symbols!r}'):
    _fake(num_symbols)
