"""Updates one agent's parameters from a batch of its sequences.

V-trace takes one step of gradient descent on the batch; PPO takes several
epochs of minibatches of whole sequences.

Letter: N agents.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax

from influence_acme import networks as networks_lib
from influence_acme.system import (
  actor_critic,
  deaths,
  heads,
  losses,
  normalisation,
  ppo,
)
from influence_acme.system import config as config_lib
from influence_acme.system import sequences as sequences_lib


class TrainingState(NamedTuple):
  """Holds the state of training; of one agent, or stacked [N, ...].

  Attributes:
    params: of the networks.
    opt_state: of the optimiser.
    return_scale: of the normalisation.
  """

  params: chex.ArrayTree
  opt_state: optax.OptState
  return_scale: normalisation.ReturnScale


class Rates(NamedTuple):
  """Holds the scheduled values of an update, float32 [] each."""

  learning_rate: chex.Numeric
  entropy_cost: chex.Numeric


# (state, sequences, own_index, Rates, key) -> (state, metrics), of one agent.
Update = Callable[..., tuple[TrainingState, losses.Metrics]]


@functools.lru_cache(maxsize=8)
def make_optimizer(
  config: config_lib.InfluenceConfig,
) -> optax.GradientTransformation:
  """Returns one agent's optimiser; the learning rate is applied outside."""
  return optax.chain(
    optax.clip_by_global_norm(config.max_gradient_norm),
    optax.scale_by_adam(eps=config.adam_epsilon),
  )


def init(
  params: chex.ArrayTree, config: config_lib.InfluenceConfig
) -> TrainingState:
  """Returns the first state of all agents.

  Args:
    params: stacked, [N, ...].
    config: of the agents.
  """
  num_agents = len(jax.tree_util.tree_leaves(params)[0])
  scale = normalisation.init(2 if config.has_messages else 1)
  return TrainingState(
    params,
    jax.vmap(make_optimizer(config).init)(params),
    jax.tree_util.tree_map(
      lambda x: jnp.broadcast_to(x, (num_agents, *x.shape)), scale
    ),
  )


# Learners of one configuration share compiled functions.
@functools.lru_cache(maxsize=8)
def make_update(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> Update:
  """Makes the update of one agent: V-trace or PPO, by the config."""
  step = _make_gradient_step(agent, config)
  if config.update == 'vtrace':
    return functools.partial(_update_once, step, config)
  return functools.partial(_update_in_epochs, agent, step, config)


def _make_gradient_step(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> Callable[..., Any]:
  """Makes one step of gradient descent of one agent."""
  optimizer = make_optimizer(config)
  loss_fn = losses.make_loss(agent, config)

  def step(state, own_index, sequences, rates, estimates=None):
    grads, (metrics, targets) = jax.grad(loss_fn, has_aux=True)(
      state.params,
      own_index,
      sequences,
      rates.entropy_cost,
      state.return_scale,
      estimates,
    )
    updates, opt_state = optimizer.update(grads, state.opt_state)
    updates = jax.tree_util.tree_map(
      lambda x: -rates.learning_rate * x, updates
    )
    params = optax.apply_updates(state.params, updates)
    metrics = dict(metrics, gradient_norm=optax.global_norm(grads))
    return state._replace(params=params, opt_state=opt_state), metrics, targets

  return step


def _track(
  state: TrainingState,
  sequences: sequences_lib.Sequences,
  own_index: chex.Numeric,
  targets: list[chex.Array],
  config: config_lib.InfluenceConfig,
) -> TrainingState:
  """Adds a batch to the averages of the normalisation."""
  sequences, is_skipped = deaths.end_return(sequences, own_index)
  scale = normalisation.track(
    state.return_scale,
    targets,
    sequences.extrinsic[:-1],
    sequences.influence[:-1],
    actor_critic.discounts(sequences.discount, is_skipped, config.discount),
    actor_critic.step_weights(is_skipped),
  )
  return state._replace(return_scale=scale)


def _update_once(
  step: Callable[..., Any],
  config: config_lib.InfluenceConfig,
  state: TrainingState,
  sequences: sequences_lib.Sequences,
  own_index: chex.Numeric,
  rates: Rates,
  key: chex.PRNGKey,
) -> tuple[TrainingState, losses.Metrics]:
  """Takes one step of gradient descent on the whole batch."""
  del key  # Unused: there are no random draws.
  state, metrics, targets = step(state, own_index, sequences, rates)
  return _track(state, sequences, own_index, targets, config), metrics


def _update_in_epochs(
  agent: networks_lib.AgentNetworks,
  step: Callable[..., Any],
  config: config_lib.InfluenceConfig,
  state: TrainingState,
  sequences: sequences_lib.Sequences,
  own_index: chex.Numeric,
  rates: Rates,
  key: chex.PRNGKey,
) -> tuple[TrainingState, losses.Metrics]:
  """Estimates advantages once, then takes epochs of shuffled minibatches."""
  output = heads.unroll(agent, config, state.params, own_index, sequences)
  own, is_skipped = deaths.end_return(sequences, own_index)
  estimates = [
    ppo.estimate(head, own.discount, is_skipped, config)
    for head in heads.make_heads(
      output, own_index, sequences, state.return_scale, config
    )
  ]
  targets = [x.target for x in estimates]
  state = _track(state, sequences, own_index, targets, config)
  batch_size = sequences.own_actions.shape[-1]

  def minibatch(state, indices):
    state, metrics, _ = step(
      state,
      own_index,
      sequences_lib.take(sequences, indices),
      rates,
      jax.tree_util.tree_map(lambda x: x[:, indices], estimates),
    )
    return state, metrics

  shuffled = jax.vmap(lambda key: jax.random.permutation(key, batch_size))(
    jax.random.split(key, config.ppo.num_epochs)
  )
  state, metrics = jax.lax.scan(
    minibatch,
    state,
    shuffled.reshape((-1, batch_size // config.ppo.num_minibatches)),
  )
  return state, jax.tree_util.tree_map(jnp.mean, metrics)
