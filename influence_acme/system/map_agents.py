"""Maps the update of one agent over all agents, without any shared values.

Letter: N agents.
"""

from collections.abc import Callable
from concurrent import futures
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import xla_threads
from influence_acme.system import update as update_lib


def over_threads(update: update_lib.Update) -> Callable[..., Any]:
  """Maps the update of one agent over all agents, in a thread for each core.

  On a CPU this is faster than all agents at once, since the memory of one
  agent's update fits into the cache.

  Args:
    update: of one agent; compiled once.

  Returns:
    (state, sequences [N, ...], Rates, key) -> (state, metrics [N]).
  """

  def update_one(states, sequences, index, rates, key):
    state, own = jax.tree_util.tree_map(lambda x: x[index], (states, sequences))
    return update(state, own, index, rates, jax.random.fold_in(key, index))

  compiled = xla_threads.jit(update_one, is_large=True)
  threads = futures.ThreadPoolExecutor(xla_threads.num_cores())
  stack = jax.jit(
    lambda *parts: jax.tree_util.tree_map(lambda *x: jnp.stack(x), *parts)
  )

  def update_all(state, sequences, rates, key):
    rates = update_lib.Rates(*map(np.float32, rates))
    indices = np.arange(len(sequences.own_actions), dtype=np.int32)
    return stack(
      *threads.map(lambda i: compiled(state, sequences, i, rates, key), indices)
    )

  return update_all


def in_one_call(
  update: update_lib.Update,
  divide: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f,
  at_once: bool | None = None,
) -> Callable[..., Any]:
  """Maps the update of one agent over all agents, inside one compiled call.

  Args:
    update: of one agent.
    divide: wraps the update of several agents, (state, sequences, indices,
      Rates, keys) -> (state, metrics), to divide them among devices.
    at_once: whether agents are vectorised, or taken one after the other, whose
      memory fits into the cache of a CPU; None: not on a CPU.

  Returns:
    As `over_threads`; not compiled, so that it can be part of a larger call.
  """
  if at_once is None:
    at_once = jax.default_backend() != 'cpu'

  def one_by_one(state, sequences, indices, rates, keys):
    return jax.lax.map(
      lambda own: update(*own[:3], rates, own[3]),
      (state, sequences, indices, keys),
    )

  mapped = divide(
    jax.vmap(update, in_axes=(0, 0, 0, None, 0)) if at_once else one_by_one
  )

  def update_all(state, sequences, rates, key):
    indices = jnp.arange(len(sequences.own_actions))
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, indices)
    return mapped(state, sequences, indices, rates, keys)

  return update_all
