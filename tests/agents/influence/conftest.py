"""A few short episodes, as the actor wrote and the learner sampled them."""

import acme
import jax
import pytest
import reverb
from acme.utils import counting, loggers

from influence_acme import environments
from influence_acme.agents import influence

T, B = 6, 4


class Recorded:
  """A few episodes of a small game, as the learner samples them."""

  episode_length = 7

  def __init__(self, **config):
    game = environments.make(
      'coordination',
      num_agents=3,
      num_actions=4,
      episode_length=self.episode_length,
    )
    self.config = influence.InfluenceConfig(
      hidden_size=16,
      influence_weight=2.0,
      influence_curriculum_steps=1,
      unroll_length=T,
      batch_size=B,
      **config,
    )
    environment = influence.wrap_environment(game, self.config)
    spec = acme.make_environment_spec(environment)
    builder = influence.InfluenceBuilder(self.config, loggers.NoOpLogger())
    self.networks = influence.make_networks(spec, self.config)
    server = reverb.Server(builder.make_replay_tables(spec), port=None)
    client = reverb.Client(f'localhost:{server.port}')
    iterator = builder.make_dataset_iterator(client)
    counter = counting.Counter()
    counter.increment(environment_steps=5)
    self.learner = learner = builder.make_learner(
      jax.random.PRNGKey(0),
      self.networks,
      iterator,
      client,
      counter,
    )
    # A policy that is not nearly uniform, and a MOA that is not either.
    state = learner.save()
    params = {
      module: {name: 3 * value for name, value in group.items()}
      for module, group in state['state'].params.items()
    }
    params['policy_value_head/policy']['w'] *= 100
    state['state'] = state['state']._replace(params=params)
    learner.restore(state)
    (self.params,) = learner.get_variables(['params'])
    actor = builder.make_actor(
      jax.random.PRNGKey(1),
      self.networks,
      builder.make_adder(client),
      learner,
    )
    loop = acme.EnvironmentLoop(environment, actor, logger=loggers.NoOpLogger())
    loop.run(num_steps=(B + 1) * T)
    self.data = next(iterator).data
    del iterator, server


@pytest.fixture(scope='session')
def recorded():
  """Makes rows with any configuration."""
  return Recorded


@pytest.fixture(scope='session')
def run():
  """Rows with influence by KL."""
  return Recorded(influence_measure='kl')


@pytest.fixture(scope='session')
def pmi_run():
  """Rows with influence by PMI."""
  return Recorded(influence_measure='pmi')
