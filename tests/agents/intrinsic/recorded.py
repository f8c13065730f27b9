"""Fixed streams of what stock agents' actors wrote, and learners on them."""

import stock_agents

# isort: split

import itertools
import threading

import acme
import jax
import reverb
from acme.utils import loggers

from influence_acme.agents import intrinsic

KEY = jax.random.PRNGKey(3)
_NUM_SAMPLES = 4


class Recorded:
  """Some samples of a stock agent's replay."""

  def __init__(self, name):
    self.environment = stock_agents.make_environment(episode_length=6)
    self.agent = stock_agents.make(name, self.environment)
    builder = self.agent.builder
    spec = acme.make_environment_spec(self.environment)
    server = reverb.Server(builder.make_replay_tables(spec))
    client = reverb.Client(f'localhost:{server.port}')
    variables = builder.make_learner(
      KEY, self.agent.networks, iter(threading.Event().wait, None)
    )
    actor = builder.make_actor(
      KEY, self.agent.policy, builder.make_adder(client), variables
    )
    loop = acme.EnvironmentLoop(
      self.environment, actor, logger=loggers.NoOpLogger()
    )
    loop.run(num_steps=_NUM_SAMPLES * self.agent.rows + 20)
    iterator = builder.make_dataset_iterator(client)
    self.samples = [next(iterator) for _ in range(_NUM_SAMPLES)]
    del actor, iterator
    server.stop()

  def wrapped(self, logger=None, builder=None, **settings):
    inner = getattr(builder or self.agent.builder, '_config', None)
    settings.setdefault('burn_in_length', getattr(inner, 'burn_in_length', 0))
    return intrinsic.InfluenceLearnerBuilder(
      builder or self.agent.builder,
      moa_config=stock_agents.moa_config(self.environment, **settings),
      logger_fn=lambda: logger or loggers.NoOpLogger(),
    )

  def learner(self, builder, num_steps, counter=None, samples=None):
    learner = builder.make_learner(
      KEY,
      self.agent.networks,
      itertools.cycle(samples or self.samples),
      counter=counter,
    )
    for _ in range(num_steps):
      learner.step()
    return learner
