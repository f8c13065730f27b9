"""Trains Acme's own IMPALA, with an InfluenceAdder inside, as processes.

Everything but the adder is Acme's: builder, networks, actor, learner, replay
and the layout that makes a Launchpad program of them. Run by
`compat_processes_test`, with a directory to write to as the only argument.
"""

import pathlib
import sys

from influence_acme import compat  # noqa: F401

# isort: split

import haiku as hk
import jax.numpy as jnp
import launchpad as lp
import numpy as np
from absl import flags
from acme import specs
from acme.agents.jax import impala
from acme.agents.jax.impala import builder as impala_builder
from acme.jax import networks as networks_lib
from acme.jax.layouts import distributed_layout
from acme.testing import fakes
from acme.utils import loggers

from influence_acme.adders import influence

NUM_ACTIONS = 3
# The replay and the samplers hold about a hundred sequences of 4 steps, which a
# fast actor plays before the learner has compiled; it learns from the others.
MAX_STEPS = 2_000
WEIGHT = 0.5
NUM_KEPT_SAMPLES = 10


def make_environment(seed=0):
  """The reward is always zero, so that all reward there is is influence."""
  del seed
  return fakes.DiscreteEnvironment(
    num_actions=NUM_ACTIONS, obs_shape=(4,), obs_dtype=np.float32
  )


class _Network(hk.RNNCore):
  """A small recurrent actor-critic of one observation, [4]."""

  def __init__(self):
    super().__init__(name='network')
    self._core = hk.LSTM(8)
    self._head = networks_lib.PolicyValueHead(NUM_ACTIONS)

  def __call__(self, inputs, state):
    hidden, state = self._core(inputs, state)
    return self._head(hidden), state

  def initial_state(self, batch_size=None):
    return self._core.initial_state(batch_size)


def make_networks(environment_spec):
  return impala.make_haiku_networks(
    env_spec=environment_spec,
    forward_fn=lambda inputs, state: _Network()(inputs, state),
    initial_state_fn=lambda batch_size=None: _Network().initial_state(
      batch_size
    ),
    unroll_fn=lambda inputs, state: hk.static_unroll(_Network(), inputs, state),
  )


def influence_fn(step, following):
  """An influence that can be told from the row: one more than the action."""
  del following
  return np.float32(step.action + 1)


class InfluenceIMPALABuilder(impala_builder.IMPALABuilder):
  """Acme's IMPALA, whose rewards hold influence, and whose samples are kept."""

  def __init__(self, directory, config):
    core_state_spec = hk.LSTMState(
      hidden=jnp.zeros(8, jnp.float32), cell=jnp.zeros(8, jnp.float32)
    )
    super().__init__(config, core_state_spec, self._make_logger)
    self._directory = directory

  def _make_logger(self):
    directory = str(self._directory / 'learner')
    return loggers.CSVLogger(directory, add_uid=False, flush_every=1)

  def make_adder(self, replay_client):
    return influence.InfluenceAdder(
      super().make_adder(replay_client), influence_fn, WEIGHT, keep_parts=False
    )

  def make_dataset_iterator(self, replay_client):
    samples = super().make_dataset_iterator(replay_client)
    for index, sample in enumerate(samples):
      if index < NUM_KEPT_SAMPLES:
        np.savez(
          self._directory / f'sample_{index}.npz',
          action=sample.data.action,
          reward=sample.data.reward,
          start_of_episode=sample.data.start_of_episode,
        )
      yield sample


def make_program(directory):
  """Returns Acme's distributed program of one actor."""
  config = impala.IMPALAConfig(sequence_length=5, batch_size=4)
  return distributed_layout.DistributedLayout(
    seed=0,
    environment_factory=make_environment,
    network_factory=make_networks,
    builder=InfluenceIMPALABuilder(directory, config),
    policy_network=lambda networks: networks,
    num_actors=1,
    environment_spec=specs.make_environment_spec(make_environment()),
    actor_logger_fn=lambda actor_id: loggers.NoOpLogger(),
    max_number_of_steps=MAX_STEPS,
    checkpointing_config=distributed_layout.CheckpointingConfig(
      directory=str(directory), add_uid=False
    ),
  ).build()


def main(directory):
  flags.FLAGS(sys.argv[:1])  # Launchpad reads flags.
  program = make_program(pathlib.Path(directory))
  manager = lp.launch(
    program,
    launch_type='local_mp',
    terminal='current_terminal',
    local_resources=compat.local_resources(program),
  )
  manager.wait()


if __name__ == '__main__':
  main(sys.argv[1])
