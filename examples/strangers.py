"""Agents that have nothing in common, in one Cleanup.

  python examples/strangers.py --num_steps=4000

Acme's IMPALA and PPO, both paid for influence, a bot that repeats IMPALA, and
one that plays at random. Each learner has its own builder, replay and columns.
"""

import functools
import tempfile

from absl import app, flags, logging

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
import acme
import haiku as hk
import numpy as np
from acme.agents.jax import impala, ppo
from acme.agents.jax.impala import builder as impala_builder
from acme.agents.jax.ppo import builder as ppo_builder
from acme.jax import networks as networks_lib

from influence_acme import environments, multiagent, programs, wrappers
from influence_acme.agents import intrinsic

_NUM_STEPS = flags.DEFINE_integer('num_steps', 4_000, 'Of the environment.')


def make_environment(seed: int = 0) -> wrappers.OthersActionsWrapper:
  """Returns Cleanup, in which all see what the others did."""
  game = environments.make('cleanup', seed=seed, num_agents=4)
  return wrappers.OthersActionsWrapper(game)


def make_impala_networks(spec) -> impala.IMPALANetworks:
  """Returns a recurrent actor-critic of pixels, float32 [H, W, C]."""

  def network():
    see = [hk.Flatten(preserve_dims=-3), hk.nets.MLP([32], activate_final=True)]
    head = networks_lib.PolicyValueHead(spec.actions.num_values)
    return hk.DeepRNN([*see, hk.LSTM(64), head])

  return impala.make_haiku_networks(
    spec,
    lambda pixels, state: network()(pixels, state),
    lambda batch_size=None: network().initial_state(batch_size),
    lambda pixels, state: hk.static_unroll(network(), pixels, state),
  )


def paid(index, logger, make, *settings) -> intrinsic.InfluenceLearnerBuilder:
  """Returns the builder of an agent of Acme's, paid for influence."""
  own_spec = multiagent.agent_spec(SPEC, f'agent_{index}')
  config = intrinsic.MOAConfig.of(own_spec, index, learning_rate=1e-2)
  builder = make(*settings, lambda: logger)
  return intrinsic.InfluenceLearnerBuilder(
    builder, moa_config=config, logger_fn=lambda: logger
  )


SPEC = acme.make_environment_spec(make_environment())
IMPALA = impala.IMPALAConfig(batch_size=4, sequence_length=10)
STATE = (hk.LSTMState(*np.zeros((2, 64), np.float32)),)  # Of its DeepRNN.
PPO = ppo.PPOConfig(10, 2, 2, batch_size=4)  # Unroll, minibatches, epochs.
MEMBERS = {
  'agent_0': multiagent.Member(
    lambda log: paid(0, log, impala_builder.IMPALABuilder, IMPALA, STATE),
    intrinsic.on_world(make_impala_networks),
    ('network',),
  ),
  'agent_1': multiagent.Member(
    lambda log: paid(1, log, ppo_builder.PPOBuilder, PPO),
    intrinsic.on_world(ppo.make_atari_networks),
    ('network',),
    ppo.make_inference_fn,
  ),
  'agent_2': lambda seen: max(seen['actions'][0], 0),
  'agent_3': lambda _: np.random.randint(9),
}


def main(_: list[str]) -> None:
  """Plays and learns."""
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  experiment = programs.Experiment(
    builder_factory=functools.partial(multiagent.PopulationBuilder, MEMBERS),
    environment_factory=make_environment,
    network_factory=functools.partial(multiagent.make_networks, MEMBERS),
    num_steps=_NUM_STEPS.value,
    run_dir=tempfile.mkdtemp(prefix='strangers_'),
  )
  raise SystemExit(programs.launch(programs.make_program(experiment)))


if __name__ == '__main__':
  app.run(main)
