"""Agents that have nothing in common, in one Cleanup.

  python examples/strangers.py --num_steps=4000

Acme's IMPALA and PPO, both paid for influence, a bot that repeats IMPALA, and
one that plays at random. Each learner has its own builder, replay and logs.
It takes some minutes on two cores.
"""

import functools
import os
from typing import Any

from absl import app, flags, logging

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
import acme
import haiku as hk
import jax
import numpy as np
from acme.agents.jax import impala, ppo
from acme.agents.jax.impala import builder as impala_builder
from acme.agents.jax.ppo import builder as ppo_builder
from acme.jax import networks as networks_lib
from acme.jax.layouts import local_layout
from acme.utils import loggers

from influence_acme import environments, wrappers
from influence_acme.agents import intrinsic
from influence_acme.multiagent import actor, specs

_NUM_STEPS = flags.DEFINE_integer('num_steps', 4_000, 'Of the environment.')
BATCH_SIZE, LENGTH = 4, 10  # Sequences that learners take, and their steps.


def make_impala_networks(spec: Any) -> impala.IMPALANetworks:
  """Returns a recurrent actor-critic of pixels, float32 [H, W, C]."""

  def network():
    see = [hk.Conv2D(6, 3), jax.nn.relu, hk.Flatten(preserve_dims=-3)]
    head = networks_lib.PolicyValueHead(spec.actions.num_values)
    return hk.DeepRNN([*see, hk.nets.MLP([32]), hk.LSTM(64), head])

  return impala.make_haiku_networks(
    spec,
    lambda pixels, state: network()(pixels, state),
    lambda batch_size=None: network().initial_state(batch_size),
    lambda pixels, state: hk.static_unroll(network(), pixels, state),
  )


def make_agent(name: str, index: int, spec: Any) -> acme.Actor:
  """Returns an agent of Acme's that learns, with influence in its rewards."""
  label = f'agent_{index} {name}'
  logger_fn = functools.partial(loggers.make_default_logger, label)
  builder: Any
  if name == 'IMPALA':
    networks = policy = intrinsic.on_world(make_impala_networks)(spec)
    config = impala.IMPALAConfig(
      batch_size=BATCH_SIZE, sequence_length=LENGTH, samples_per_insert=None
    )
    state = networks.initial_state_fn({})
    builder = impala_builder.IMPALABuilder(config, state, logger_fn)
  else:
    networks = intrinsic.on_world(ppo.make_atari_networks)(spec)
    policy = ppo.make_inference_fn(networks)
    config = ppo.PPOConfig(LENGTH, 2, 2, batch_size=BATCH_SIZE)
    builder = ppo_builder.PPOBuilder(config, logger_fn)
  builder = intrinsic.InfluenceLearnerBuilder(
    builder,
    moa_config=intrinsic.MOAConfig.of(spec, index, learning_rate=1e-2),
    logger_fn=lambda: loggers.make_default_logger(f'{label} influence'),
  )
  replay = 2 * BATCH_SIZE * LENGTH, 1 / LENGTH, BATCH_SIZE
  return local_layout.LocalLayout(
    index, spec, builder, networks, policy, None, *replay
  )


def main(_: list[str]) -> None:
  """Plays and learns; Acme's own loggers tell how it goes."""
  logging.set_verbosity(logging.INFO)
  game = environments.make('cleanup', num_agents=4, episode_length=250)
  environment = wrappers.OthersActionsWrapper(game)
  spec = acme.make_environment_spec(environment)
  actors = {
    'agent_0': make_agent('IMPALA', 0, specs.agent_spec(spec, 'agent_0')),
    'agent_1': make_agent('PPO', 1, specs.agent_spec(spec, 'agent_1')),
    'agent_2': actor.FunctionActor(lambda seen: max(seen['actions'][0], 0)),
    'agent_3': actor.FunctionActor(lambda _: np.random.randint(9)),
  }
  joint_actor = actor.JointActor(actors, environment.agent_ids)
  acme.EnvironmentLoop(environment, joint_actor).run(num_steps=_NUM_STEPS.value)
  os._exit(0)  # Threads of C++ libraries can crash an orderly exit.


if __name__ == '__main__':
  app.run(main)
