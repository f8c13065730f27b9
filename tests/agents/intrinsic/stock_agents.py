"""Acme's own agents, small, for one agent of a matrix game that others copy."""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import acme
import haiku as hk
import jax.numpy as jnp
import numpy as np
from acme.agents.jax import dqn, impala, ppo, r2d2
from acme.agents.jax.dqn import actor as dqn_actor
from acme.agents.jax.dqn import builder as dqn_builder
from acme.agents.jax.dqn import losses as dqn_losses
from acme.agents.jax.impala import builder as impala_builder
from acme.agents.jax.ppo import builder as ppo_builder
from acme.agents.jax.r2d2 import builder as r2d2_builder
from acme.agents.jax.r2d2 import networks as r2d2_networks
from acme.jax import networks as networks_lib
from acme.jax import utils
from acme.utils import loggers

from influence_acme import environments, wrappers
from influence_acme.agents import intrinsic

NAMES = ('impala', 'r2d2', 'ppo', 'dqn')
NUM_ACTIONS = 3
HIDDEN = 16
# Settings with which actors wait, while the learner compiles, for example.
WAITING: dict[str, dict[str, float]] = {
  'impala': {'samples_per_insert': 1.0},
  'r2d2': {'samples_per_insert': 1.0, 'samples_per_insert_tolerance_rate': 4.0},
  'ppo': {},  # Its queue makes them, once it is full.
  'dqn': {'samples_per_insert': 2.0, 'samples_per_insert_tolerance_rate': 1.0},
}


def copy(observation):
  """Plays what agent 0 played last; at first, action 0."""
  return np.maximum(observation['actions'][0], 0).astype(np.int32)


def cycle(observation):
  """Plays one more than it played last itself; at first, action 0."""
  return np.int32((observation['actions'][2] + 1) % NUM_ACTIONS)


def make_environment(seed=0, episode_length=10, payoff=None):
  """Returns agent 0's view of a game in which 1 copies it and 2 cycles."""
  game = environments.make(
    'matrix',
    num_agents=3,
    num_actions=NUM_ACTIONS,
    episode_length=episode_length,
    payoff=np.zeros((NUM_ACTIONS,) * 2) if payoff is None else payoff,
    seed=seed,
  )
  return wrappers.SingleAgentView(
    wrappers.OthersActionsWrapper(game),
    'agent_0',
    {'agent_1': copy, 'agent_2': cycle},
  )


class Agent(NamedTuple):
  """A stock agent.

  Attributes:
    builder: its own.
    networks: what the learner gets.
    policy: what the actors get.
    rows: how many environment steps make a batch, about.
    batch_size: of the replay's items.
  """

  builder: Any
  networks: Any
  policy: Any
  rows: int
  batch_size: int


def _flat(pixels):
  """Returns float32 [..., F] of float32 [..., H, W, C]."""
  return pixels.reshape((*pixels.shape[:-3], -1))


class _Core(hk.RNNCore):
  """A small recurrent network."""

  def __init__(self, head: Callable[[], Any]):
    super().__init__(name='network')
    self._core = hk.LSTM(HIDDEN)
    self._head = head()

  def __call__(self, inputs, state):
    hidden, state = self._core(_flat(inputs), state)
    return self._head(hidden), state

  def initial_state(self, batch_size=None):
    return self._core.initial_state(batch_size)


def _recurrent(head):
  """Returns forward, initial state and unroll functions."""

  def make():
    return _Core(head)

  return {
    'forward_fn': lambda inputs, state: make()(inputs, state),
    'initial_state_fn': lambda batch_size=None: make().initial_state(
      batch_size
    ),
    # Of TensorFlow, samples have an LSTMState that scans take for another.
    'unroll_fn': lambda inputs, state: hk.static_unroll(make(), inputs, state),
  }


def _impala(spec, logger_fn, **overrides):
  head = functools.partial(networks_lib.PolicyValueHead, NUM_ACTIONS)
  networks = intrinsic.on_world(
    lambda spec: impala.make_haiku_networks(spec, **_recurrent(head))
  )(spec)
  settings = {'batch_size': 4, 'sequence_length': 8, 'samples_per_insert': None}
  config = impala.IMPALAConfig(**{**settings, **overrides})
  zeros = jnp.zeros(HIDDEN, jnp.float32)
  builder = impala_builder.IMPALABuilder(
    config, hk.LSTMState(zeros, zeros), logger_fn
  )
  rows = config.batch_size * config.sequence_length
  return Agent(builder, networks, networks, rows, config.batch_size)


def _r2d2(spec, logger_fn, **overrides):
  settings = {
    'batch_size': 4,
    'burn_in_length': 2,
    'trace_length': 5,
    'sequence_period': 4,
    'bootstrap_n': 2,
    'min_replay_size': 4,
    'max_replay_size': 100,
    'samples_per_insert': 0,
    'num_epsilons': 1,
    'num_parallel_calls': 1,
    'variable_update_period': 10,
  }
  config = r2d2.R2D2Config(**{**settings, **overrides})
  head = functools.partial(hk.Linear, NUM_ACTIONS)
  networks = intrinsic.on_world(
    lambda spec: r2d2_networks.make_networks(
      spec, batch_size=config.batch_size, **_recurrent(head)
    )
  )(spec)
  builder = r2d2_builder.R2D2Builder(networks, config, logger_fn)
  policy = r2d2_networks.make_behavior_policy(networks, config)
  return Agent(builder, networks, policy, 20, config.batch_size)


def _ppo(spec, logger_fn, **overrides):
  def make(spec):
    def apply(pixels):
      hidden = hk.nets.MLP([HIDDEN], activate_final=True)(_flat(pixels))
      return networks_lib.CategoricalValueHead(NUM_ACTIONS)(hidden)

    network: Any = hk.without_apply_rng(hk.transform(apply))
    example = utils.add_batch_dim(utils.zeros_like(spec.observations))
    return ppo.make_ppo_networks(
      networks_lib.FeedForwardNetwork(
        lambda key: network.init(key, example), network.apply
      )
    )

  settings = {
    'unroll_length': 8,
    'num_minibatches': 2,
    'num_epochs': 2,
    'batch_size': 4,
  }
  config = ppo.PPOConfig(**{**settings, **overrides})
  networks = intrinsic.on_world(make)(spec)
  return Agent(
    ppo_builder.PPOBuilder(config, logger_fn),
    networks,
    ppo.make_inference_fn(networks),
    config.batch_size * config.unroll_length,
    config.batch_size,
  )


def _dqn(spec, logger_fn, **overrides):
  def make(spec):
    def apply(pixels):
      hidden = hk.nets.MLP([HIDDEN], activate_final=True)(_flat(pixels))
      return hk.Linear(NUM_ACTIONS)(hidden)

    network: Any = hk.without_apply_rng(hk.transform(apply))
    example = utils.add_batch_dim(utils.zeros_like(spec.observations))
    return networks_lib.FeedForwardNetwork(
      lambda key: network.init(key, example), network.apply
    )

  settings = {
    'batch_size': 16,
    'min_replay_size': 16,
    'max_replay_size': 1000,
    'n_step': 1,
    'samples_per_insert_tolerance_rate': 1e6,  # Nobody waits.
  }
  config = dqn.DQNConfig(**{**settings, **overrides})
  networks = intrinsic.on_world(make)(spec)
  builder = dqn_builder.DQNBuilder(
    config,
    dqn_losses.PrioritizedDoubleQLearning(discount=config.discount),
    logger_fn,
  )
  policy = dqn_actor.behavior_policy(networks)
  return Agent(builder, networks, policy, config.batch_size, config.batch_size)


_MAKERS = {'impala': _impala, 'r2d2': _r2d2, 'ppo': _ppo, 'dqn': _dqn}


def make(name, environment, logger_fn=loggers.NoOpLogger, **overrides):
  """Returns a stock agent for an environment; overrides are of its config."""
  spec = acme.make_environment_spec(environment)
  return of_spec(name, spec, logger_fn, **overrides)


def of_spec(name, spec, logger_fn=loggers.NoOpLogger, **overrides):
  """Returns a stock agent for what it sees of an environment's spec."""
  return _MAKERS[name](spec, logger_fn, **overrides)


def burn_in(agent):
  """Returns the rows that an agent does not learn from, in a sequence."""
  return getattr(agent.builder._config, 'burn_in_length', 0)


def moa_config(environment, own_index=0, **settings):
  """Returns a small model of others for an environment."""
  settings = {'hidden_size': HIDDEN, **settings}
  spec = acme.make_environment_spec(environment)
  return intrinsic.MOAConfig.of(spec, own_index, **settings)
