"""Acme's own IMPALA in Cleanup, paid for influence on the others.

  python examples/own_agent.py --num_steps=10000

What is new is marked "influence". One of the others repeats what it does: the
model of others takes two thirds of these steps to find that out, and until then
influence is 0.
"""

import os

from absl import app, flags, logging

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
import acme
import haiku as hk
import jax
import numpy as np
from acme.agents.jax import impala
from acme.agents.jax.impala import builder as impala_builder
from acme.jax import networks as networks_lib
from acme.jax.layouts import local_layout

from influence_acme import environments, wrappers
from influence_acme.agents import intrinsic  # influence

_NUM_STEPS = flags.DEFINE_integer('num_steps', 10_000, 'Of the environment.')
_EPISODE_LENGTH = flags.DEFINE_integer('episode_length', 250, 'In steps.')
_WEIGHT = flags.DEFINE_float('influence_weight', 1.0, 'Of influence.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of all randomness.')


def make_environment() -> wrappers.SingleAgentView:
  """Returns Cleanup as agent 0 sees it."""
  settings = {'num_agents': 3, 'episode_length': _EPISODE_LENGTH.value}
  game = environments.make('cleanup', seed=_SEED.value, **settings)
  game = wrappers.OthersActionsWrapper(game)
  policies = {
    'agent_1': lambda observation: np.maximum(observation['actions'][0], 0),
    'agent_2': lambda _: np.int32(4),  # It stays where it is.
  }
  return wrappers.SingleAgentView(game, 'agent_0', policies)


def make_networks(spec: acme.specs.EnvironmentSpec) -> impala.IMPALANetworks:
  """Returns an actor-critic of pixels, float32 [H, W, C]."""

  def network():
    see = [hk.Conv2D(6, 3, padding='VALID'), jax.nn.relu]
    dense = hk.nets.MLP([32, 32], activate_final=True)
    head = networks_lib.PolicyValueHead(spec.actions.num_values)
    flat = hk.Flatten(preserve_dims=-3)
    return hk.DeepRNN([*see, flat, dense, hk.LSTM(64), head])

  return impala.make_haiku_networks(
    spec,
    lambda pixels, state: network()(pixels, state),
    lambda batch_size=None: network().initial_state(batch_size),
    lambda pixels, state: hk.static_unroll(network(), pixels, state),
  )


def main(_: list[str]) -> None:
  """Trains; Acme's own loggers tell how it goes."""
  logging.set_verbosity(logging.INFO)
  environment = make_environment()
  spec = acme.make_environment_spec(environment)
  networks = intrinsic.on_world(make_networks)(spec)  # influence
  config = impala.IMPALAConfig(
    batch_size=4, sequence_length=10, samples_per_insert=None
  )
  builder = impala_builder.IMPALABuilder(config, networks.initial_state_fn({}))
  moa_config = intrinsic.MOAConfig.of(  # influence
    spec, 0, influence_weight=_WEIGHT.value, learning_rate=3e-3
  )
  builder = intrinsic.InfluenceLearnerBuilder(  # influence
    builder, moa_config=moa_config
  )
  rows = config.batch_size * config.sequence_length
  agent = local_layout.LocalLayout(
    _SEED.value,
    spec,
    builder,
    networks,
    networks,
    workdir=None,
    min_replay_size=2 * rows,
    samples_per_insert=config.batch_size / rows,
    batch_size=config.batch_size,
  )
  acme.EnvironmentLoop(environment, agent).run(num_steps=_NUM_STEPS.value)
  os._exit(0)  # Threads of C++ libraries can crash an orderly exit.


if __name__ == '__main__':
  app.run(main)
