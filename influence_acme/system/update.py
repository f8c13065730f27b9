"""One step of gradient descent: compiled for one agent, called for every one.

Letter: N agents.
"""

import functools
import os
from collections.abc import Callable
from concurrent import futures
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax

from influence_acme import one_core
from influence_acme.system import config as config_lib
from influence_acme.system import losses


class TrainingState(NamedTuple):
  """What training changes; every array has a leading axis N."""

  params: chex.ArrayTree
  opt_state: optax.OptState


@functools.lru_cache(maxsize=8)
def make_optimizer(
  config: config_lib.InfluenceConfig,
) -> optax.GradientTransformation:
  """Returns one agent's optimiser; the learning rate is applied outside."""
  return optax.chain(
    optax.clip_by_global_norm(config.max_gradient_norm),
    optax.scale_by_adam(eps=config.adam_epsilon),
  )


# Learners of one loss share what is compiled.
@functools.lru_cache(maxsize=8)
def make_sgd_step(
  loss_fn: losses.LossFn, optimizer: optax.GradientTransformation
) -> Callable[..., tuple[TrainingState, losses.Metrics]]:
  """Returns one step for all agents, in which nothing mixes.

  What is compiled is the step of one agent, its clip and its optimiser's state.
  A thread a core calls it for each: the memory of one agent's step fits into
  the cache, that of all does not, so that this is faster than vmap.

  Args:
    loss_fn: one agent's.
    optimizer: one agent's.

  Returns:
    (state, sequences [N, ...], learning rate [], entropy cost []) ->
    (state, metrics [N]).
  """

  def one_agent(states, sequences, index, learning_rate, entropy_cost):
    state, sequences = jax.tree_util.tree_map(
      lambda x: x[index], (states, sequences)
    )
    grads, metrics = jax.grad(loss_fn, has_aux=True)(
      state.params, index, sequences, entropy_cost
    )
    updates, opt_state = optimizer.update(grads, state.opt_state)
    updates = jax.tree_util.tree_map(lambda x: -learning_rate * x, updates)
    params = optax.apply_updates(state.params, updates)
    norm = optax.global_norm(grads)
    return TrainingState(params, opt_state), dict(metrics, gradient_norm=norm)

  step_of_one = one_core.jit(one_agent)
  threads = futures.ThreadPoolExecutor(len(os.sched_getaffinity(0)))

  stack = jax.jit(
    lambda *parts: jax.tree_util.tree_map(lambda *x: jnp.stack(x), *parts)
  )

  def sgd_step(state, sequences, learning_rate, entropy_cost):
    rates = np.float32(learning_rate), np.float32(entropy_cost)
    indices = np.arange(len(sequences.own_actions), dtype=np.int32)
    return stack(
      *threads.map(lambda i: step_of_one(state, sequences, i, *rates), indices)
    )

  return sgd_step
