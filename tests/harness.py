"""A few short episodes of any population, as written and as sampled.

All tests of the agent share these sizes: what one has compiled for a
configuration, the others of its process need not compile again.
"""

import functools
from typing import Any

import acme
import jax
import reverb
from acme.utils import counting, loggers

from influence_acme.agents import influence

N, A, T, B, U = 3, 4, 6, 4, 8
LENGTH = 7  # Of an episode, which has a row more: it ends anywhere.
# Of the paper's experiments, as several tests take them.
OPTIONS: dict[str, dict[str, Any]] = {
  'basic_influence': {
    'influence_measure': 'jsd',
    'num_influencers': 2,
    'influencee_reward': True,
  },
  'communication': {
    'influence_measure': 'kl',
    'num_symbols': 5,
    'message_embedding_size': 7,
    'message_extrinsic_weight': 0.0,
  },
  'moa': {'influence_measure': 'kl'},
}


class Recorded:
  """A population, its learner, and rows that it has played.

  Attributes:
    config: of the agents.
    builder: of the agents.
    networks: of the agents.
    learner: with parameters far from uniform policies and models.
    params: its parameters, [N, ...].
    sample: a batch of rows [B, T + 1, ...] of the replay.
    data: of the sample.
  """

  def __init__(self, **config):
    # Rewards differ from agent to agent.
    environment_options = {
      'num_agents': N,
      'num_actions': A,
      'episode_length': LENGTH,
      'payoff': [[own - other for other in range(A)] for own in range(A)],
    }
    self.config = influence.InfluenceConfig(
      hidden_size=U,
      influence_weight=2.0,
      influence_curriculum_steps=1,
      unroll_length=T,
      batch_size=B,
      **config,
    )
    environment = influence.make_environment(
      'matrix', self.config, seed=0, **environment_options
    )
    spec = acme.make_environment_spec(environment)
    self.builder = builder = influence.InfluenceBuilder(
      self.config, loggers.NoOpLogger()
    )
    self.networks = influence.make_networks(spec, self.config)
    server = reverb.Server(builder.make_replay_tables(spec), port=None)
    client = reverb.Client(f'localhost:{server.port}')
    iterator = builder.make_dataset_iterator(client)
    counter = counting.Counter()
    counter.increment(environment_steps=5)
    self.learner = learner = builder.make_learner(
      jax.random.PRNGKey(2),
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
    self.sample = next(iterator)
    self.data = self.sample.data
    del iterator, server


@functools.cache
def recorded(**config):
  """Returns the rows of a configuration, of one recording for all tests."""
  return Recorded(**config)
