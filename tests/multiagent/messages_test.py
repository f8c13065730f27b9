"""Acme's loop, and the slices and stacks, where agents act and speak."""

from influence_acme import compat  # noqa: F401

# isort: split

import acme
import jax.numpy as jnp
import numpy as np
import pytest
from acme import specs as acme_specs
from acme.utils import loggers

from influence_acme import environments, wrappers
from influence_acme.multiagent import actor
from influence_acme.system import specs

NUM_AGENTS, NUM_SYMBOLS, EPISODE_LENGTH = 12, 4, 3


@pytest.fixture
def environment():
  game = environments.make(
    'coordination', num_agents=NUM_AGENTS, episode_length=EPISODE_LENGTH
  )
  return wrappers.MessageChannelWrapper(
    wrappers.OthersActionsWrapper(game), NUM_SYMBOLS
  )


class _RandomActor(acme.Actor):
  """Draws both parts of its actions; keeps what it did and heard."""

  def __init__(self, spec, seed):
    self._spec, self._rng = spec, np.random.default_rng(seed)
    self.said, self.heard = [], []

  def select_action(self, observation):
    self.heard.append(observation['messages'])
    action = {
      key: np.int32(self._rng.integers(spec.num_values))
      for key, spec in self._spec.items()
    }
    self.said.append(action['message'])
    return action

  def observe_first(self, timestep):
    np.testing.assert_array_equal(
      timestep.observation['messages'], [-1] * NUM_AGENTS
    )

  def observe(self, action, next_timestep):
    self.last = next_timestep.observation['messages']

  def update(self, wait=False):
    pass


def test_acmes_loop_plays_random_speakers(environment):
  agents = environment.agent_ids
  spec = acme.make_environment_spec(environment)
  actors = {
    agent_id: _RandomActor(specs.agent_spec(spec, agent_id).actions, seed)
    for seed, agent_id in enumerate(agents)
  }
  loop = acme.EnvironmentLoop(
    environment,
    actor.JointActor(actors, agents),
    logger=loggers.NoOpLogger(),
  )
  loop.run(num_episodes=2)
  said = np.array([actors[a].said for a in agents]).T  # [T, N]
  assert said.shape == (2 * EPISODE_LENGTH, NUM_AGENTS)
  assert set(said.flat) == set(range(NUM_SYMBOLS))
  for agent_id in agents:
    heard = np.array(actors[agent_id].heard)
    for start in (0, EPISODE_LENGTH):
      np.testing.assert_array_equal(heard[start], -1)
      episode = slice(start + 1, start + EPISODE_LENGTH)
      before = slice(start, start + EPISODE_LENGTH - 1)
      np.testing.assert_array_equal(heard[episode], said[before])
    np.testing.assert_array_equal(actors[agent_id].last, said[-1])


def test_agent_spec(environment):
  spec = specs.agent_spec(acme.make_environment_spec(environment), 'agent_10')
  assert spec.actions == environment.action_spec()['agent_10']
  assert spec.observations == environment.observation_spec()['agent_10']
  # The entries of one agent's action are no agents.
  with pytest.raises(ValueError, match="no agent 'action'"):
    specs.agent_spec(acme.make_environment_spec(environment), 'action')


def test_stacked_spec(environment):
  spec = specs.stacked_spec(
    acme.make_environment_spec(environment), environment.agent_ids
  )
  n = NUM_AGENTS
  assert list(spec.actions) == ['action', 'message']
  assert spec.actions == {
    'action': acme_specs.BoundedArray((n,), np.int32, 0, 2, 'action'),
    'message': acme_specs.BoundedArray((n,), np.int32, 0, 3, 'message'),
  }
  assert list(spec.observations) == ['world', 'actions', 'visible', 'messages']
  assert spec.observations['messages'] == acme_specs.BoundedArray(
    (n, n), np.int32, -1, NUM_SYMBOLS - 1, 'messages'
  )


@pytest.mark.parametrize('library', [np, jnp])
def test_unstacked_actions_can_be_played(environment, library):
  agents = environment.agent_ids
  spec = specs.stacked_spec(acme.make_environment_spec(environment), agents)
  actions = {
    'action': library.arange(NUM_AGENTS, dtype=library.int32) % 3,
    'message': library.arange(NUM_AGENTS, dtype=library.int32) % NUM_SYMBOLS,
  }
  for key in actions:
    spec.actions[key].validate(np.asarray(actions[key]))
  by_agent = specs.unstack_actions(actions, agents)
  for agent_id, own in environment.action_spec().items():
    for key in own:
      own[key].validate(by_agent[agent_id][key])

  timesteps = [environment.reset(), environment.step(by_agent)]
  for timestep in timesteps:
    stacked = specs.stack_timestep(timestep, agents).observation
    for key in spec.observations:
      spec.observations[key].validate(stacked[key])
  for key, sent in (('messages', 'message'), ('actions', 'action')):
    expected = np.broadcast_to(actions[sent], (NUM_AGENTS, NUM_AGENTS))
    np.testing.assert_array_equal(stacked[key], expected)


def test_agents_of_other_vocabularies_are_not_stacked(environment):
  spec = acme.make_environment_spec(environment)
  longer = {'message': acme_specs.DiscreteArray(5, np.int32, 'message')}
  spec.actions['agent_10'] = {**spec.actions['agent_10'], **longer}
  with pytest.raises(ValueError, match=r': agent_10 \(actions\)\.'):
    specs.stacked_spec(spec, environment.agent_ids)
