"""The population that is measured, and what it is trained with."""

import functools
import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import reverb
from acme.utils import loggers

from benchmarks import settings
from influence_acme import environments, programs, xla_threads
from influence_acme.agents import influence


def make_experiment(
  workload: settings.Workload, run_dir: str | os.PathLike[str]
) -> programs.Experiment:
  """Makes a training run that does not end by itself.

  Args:
    workload: of the run.
    run_dir: its directory.
  """
  # The replay holds two batches, as in the agent's default configuration.
  config = influence.InfluenceConfig(
    variant=workload.variant,
    unroll_length=workload.unroll_length,
    batch_size=workload.batch_size,
    max_queue_size=2 * workload.batch_size,
  )
  name = workload.environment
  game = {
    'num_agents': workload.num_agents,
    'episode_length': workload.episode_length,
  }
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, name, config, **game
    ),
    network_factory=functools.partial(influence.make_networks, config=config),
    batch_size=config.batch_size,
    num_steps=10**12,
    run_dir=run_dir,
    num_actors=workload.num_actors,
    num_environments=workload.num_environments,
    functional_environment=environments.functional(name, **game),
  )


class Population:
  """An agent's parts outside of any program, with parameters that stay.

  It is a variable source.

  Attributes:
    experiment: that it is made from.
    builder: of the agent.
    networks: of the population.
    replay: a client of the builder's table.
  """

  def __init__(self, workload: settings.Workload):
    """Makes the parts; nothing is compiled but what draws the parameters."""
    xla_threads.disable_intra_op_threads()  # As a program does.
    self.experiment = make_experiment(workload, run_dir='')
    self.builder = self.experiment.builder_factory(loggers.NoOpLogger())
    spec = self.experiment.make_environment_spec()
    self.networks = self.experiment.network_factory(spec)
    tables = self.builder.make_replay_tables(spec)
    self._server = reverb.Server(tables)
    self.replay = reverb.Client(f'localhost:{self._server.port}')
    params = self.networks.init(self.experiment.learner_key())
    self._variables = {
      'params': jax.device_get(params),
      'counts': {
        'learner_steps': np.int32(0),
        'environment_steps': np.int64(0),
      },
    }

  def get_variables(self, names: Sequence[str]) -> list[Any]:
    """Returns variables as a learner does that has not learned yet."""
    return [self._variables[name] for name in names]
