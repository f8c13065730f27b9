"""Acme's own fakes, which check specs, play and learn through our parts."""

from influence_acme import compat  # noqa: F401

# isort: split


import acme
import jax
import numpy as np
import pytest
from acme.testing import fakes as acme_fakes
from acme.utils import counting, loggers

from influence_acme import environments, wrappers
from influence_acme.agents import influence
from influence_acme.multiagent import actor, learner_set, variables
from influence_acme.system import specs

IDS = ('agent_0', 'agent_1', 'agent_2')


def _environment(talk=False):
  environment = environments.make('matrix', num_agents=3, episode_length=5)
  environment = wrappers.OthersActionsWrapper(environment)
  return wrappers.MessageChannelWrapper(environment, 4) if talk else environment


@pytest.mark.parametrize('talk', [False, True])
def test_fake_actors_accept_what_each_is_shown(talk):
  environment = _environment(talk)
  spec = acme.make_environment_spec(environment)
  actors = {
    agent_id: acme_fakes.Actor(specs.agent_spec(spec, agent_id))
    for agent_id in IDS
  }
  acme.EnvironmentLoop(
    environment, actor.JointActor(actors, IDS), logger=loggers.NoOpLogger()
  ).run(num_episodes=2)
  assert [actors[agent_id].num_updates for agent_id in IDS] == [10, 10, 10]


def test_a_fake_actor_accepts_one_agents_view():
  view = wrappers.SingleAgentView(
    _environment(),
    'agent_1',
    dict.fromkeys(['agent_0', 'agent_2'], lambda _: 0),
  )
  fake = acme_fakes.Actor(acme.make_environment_spec(view))
  loop = acme.EnvironmentLoop(view, fake, logger=loggers.NoOpLogger())
  loop.run(num_episodes=1)
  assert fake.num_updates == 5


def test_fake_learners_step_and_serve_by_name():
  fakes = {
    agent_id: acme_fakes.Learner({'w': np.full(2, i)})
    for i, agent_id in enumerate(IDS)
  }
  learner = learner_set.LearnerSet(fakes, dict.fromkeys(IDS, ['policy']))
  learner.run(num_steps=3)
  assert [fake.step_counter for fake in fakes.values()] == [3, 3, 3]
  for i, agent_id in enumerate(IDS):
    source = variables.AgentVariableSource(learner, agent_id)
    (params,) = source.get_variables(['policy'])
    np.testing.assert_array_equal(params['w'], [i, i])


def test_our_actor_plays_a_fake_of_its_environment():
  """Which checks every action, and message, against the spec."""
  config = influence.InfluenceConfig(variant='communication', hidden_size=8)
  environment = influence.make_environment(
    'matrix', config, 0, num_agents=3, episode_length=5
  )
  spec = acme.make_environment_spec(environment)
  fake = acme_fakes.Environment(spec, episode_length=7)
  networks = influence.make_networks(spec, config)
  builder = influence.InfluenceBuilder(config, loggers.NoOpLogger())
  learner = builder.make_learner(
    jax.random.PRNGKey(0), networks, iter(()), counter=counting.Counter()
  )
  played = builder.make_actor(
    jax.random.PRNGKey(1), networks, variable_source=learner
  )
  log = loggers.InMemoryLogger()
  acme.EnvironmentLoop(fake, played, logger=log).run(num_episodes=2)
  assert [row['episode_length'] for row in log.data] == [7, 7]
