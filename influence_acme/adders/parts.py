"""Computes the influence adder's weight, reward and extras of one step.

A reward is any tree of arrays: one agent's number, a vector over stacked
agents, a dict over reward streams. All functions map over its leaves.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from acme import types

# Units of reward per nat: for the whole reward, or for each of its entries.
Weight = float | np.ndarray

# The key of the extras that holds the inputs of `influence_fn`.
INPUTS = 'influence_inputs'


def snapshot(nest: types.NestedArray) -> types.NestedArray:
  """Returns the nest with copies of NumPy arrays; JAX's are immutable."""
  return jax.tree_util.tree_map(
    lambda x: x.copy() if isinstance(x, np.ndarray) else x, nest
  )


def weight_fn(
  weight: Weight | Callable[[int], Weight], steps_fn: Callable[[], int] | None
) -> Callable[[], Weight]:
  """Returns a function that computes the current weight.

  Args:
    weight: units of reward per nat; a number or an array of them, or a pure
      function of steps that returns one.
    steps_fn: returns the number of steps; needed if `weight` is a function.

  Raises:
    ValueError: the weight is not finite (the function returned raises this
      too), or `steps_fn` is missing.
  """
  if not callable(weight):
    constant = _finite(weight)
    return lambda: constant
  if steps_fn is None:
    raise ValueError(
      'steps_fn must be given, since weight is a function of the number of '
      'steps: pass a function that returns this number.'
    )
  # The count reaches an actor only now and then, and a schedule written in JAX
  # takes longer than all the rest of `add`: compute it once for each count.
  weight_at = functools.lru_cache(maxsize=1)(
    lambda steps: _finite(weight(steps))
  )
  return lambda: weight_at(int(steps_fn()))


def _finite(weight: Any) -> Weight:
  """Returns the weight, a float or a float32 array, which must be finite."""
  try:
    value = np.asarray(weight, np.float32) if np.ndim(weight) else float(weight)
  except (TypeError, ValueError):
    value = math.nan
  if np.asarray(weight).dtype == bool or not np.isfinite(value).all():
    raise ValueError(
      f'weight must be a finite number, an array of them, or a function that '
      f'returns one, got {weight!r}.'
    )
  return value


def like_reward(
  influence: types.NestedArray, reward: types.NestedArray
) -> types.NestedArray:
  """Returns the influence in float32, checked against the reward.

  Args:
    influence: returned by the user's function, in nats.
    reward: the extrinsic reward; influence must have its tree and shapes.

  Returns:
    The influence: float32, shaped like the reward.

  Raises:
    ValueError: tree or shapes differ, or a number is NaN or infinite.
  """
  expected = jax.tree_util.tree_structure(reward)
  actual = jax.tree_util.tree_structure(influence)
  if actual != expected:
    raise ValueError(
      f'influence_fn must return a tree like the reward, {expected}, got '
      f'{actual}.'
    )
  return jax.tree_util.tree_map(_leaf_like_reward, influence, reward)


def _leaf_like_reward(influence: Any, reward: Any) -> np.ndarray:
  influence = np.asarray(influence, np.float32)
  if influence.shape != np.shape(reward):
    raise ValueError(
      'influence_fn must return an array shaped like the reward, '
      f'{np.shape(reward)}, got {influence.shape}.'
    )
  if not np.isfinite(influence).all():
    # A replay buffer would serve it to every learner, for long.
    raise ValueError(
      f'influence_fn must return finite numbers, got {influence}. Look for NaN '
      f"in extras['{INPUTS}'] and in the parameters behind it, or mask the "
      'entries that do not count.'
    )
  return influence


def weighted_sum(
  extrinsic: types.NestedArray, influence: types.NestedArray, weight: Weight
) -> types.NestedArray:
  """Returns extrinsic + weight * influence.

  Args:
    extrinsic: the environment's reward, of any floating dtype.
    influence: float32, shaped like the reward, in nats.
    weight: units of reward per nat; a number, or shaped like the reward.

  Returns:
    New arrays, shaped like the reward and of its dtype.

  Raises:
    ValueError: the reward is not of a floating dtype, or the weight of another
      shape.
  """
  return jax.tree_util.tree_map(
    lambda e, c: _leaf_weighted_sum(e, c, weight), extrinsic, influence
  )


def check_floating(reward: types.NestedArray) -> None:
  """Raises ValueError: a reward, or its spec, is not floating-point."""
  for leaf in jax.tree_util.tree_leaves(reward):
    dtype = leaf.dtype if hasattr(leaf, 'dtype') else np.asarray(leaf).dtype
    if np.dtype(dtype).kind != 'f':
      raise ValueError(
        f'The reward must be floating-point, got {dtype}, which cannot hold '
        'influence. Let the environment return float32 rewards, and say so in '
        'its reward_spec().'
      )


def _leaf_weighted_sum(
  extrinsic: Any, influence: np.ndarray, weight: Weight
) -> np.ndarray:
  check_floating(extrinsic)
  extrinsic = np.asarray(extrinsic)
  if np.shape(weight) not in ((), extrinsic.shape):
    raise ValueError(
      f'weight must be a number, or shaped like the reward, {extrinsic.shape}, '
      f'got {np.shape(weight)}.'
    )
  return (extrinsic + weight * influence).astype(extrinsic.dtype)


def without_inputs(extras: Any) -> Any:
  """Returns extras, or their spec, without `influence_inputs`."""
  if not isinstance(extras, Mapping) or INPUTS not in extras:
    return extras
  return {key: value for key, value in extras.items() if key != INPUTS}


def with_parts(extras: Any, extrinsic: Any, influence: Any) -> dict[str, Any]:
  """Returns extras, or their spec, with the two parts of the reward.

  Args:
    extras: a dict, None or (), the latter two for no extras.
    extrinsic: the environment's reward, or its spec.
    influence: the unweighted influence, or its spec.

  Returns:
    A new dict with the entries `extrinsic` and `influence`.

  Raises:
    ValueError: the extras cannot take an entry, or have one of this name.
  """
  if extras is None or (isinstance(extras, tuple) and not extras):
    extras = {}
  if not isinstance(extras, Mapping):
    raise ValueError(
      'keep_parts needs extras that are a dict, None or (), got '
      f'{type(extras).__name__}. Put them into a dict, or pass '
      'keep_parts=False.'
    )
  parts = {'extrinsic': extrinsic, 'influence': influence}
  taken = sorted(parts.keys() & extras.keys())
  if taken:
    raise ValueError(
      f'The extras have an entry {taken[0]!r} already, which keep_parts would '
      'replace. Rename it, or pass keep_parts=False.'
    )
  return {**extras, **parts}


def extrinsic(extras: Any, reward: types.NestedArray) -> types.NestedArray:
  """Returns the environment's reward of a step.

  Args:
    extras: of the step; with the entry `extrinsic` if the parts were kept.
    reward: of the step; the environment's if the parts were not kept.

  Returns:
    Arrays of the reward's dtype.
  """
  if not isinstance(extras, Mapping) or 'extrinsic' not in extras:
    return reward
  return jax.tree_util.tree_map(
    lambda e, r: np.asarray(e, np.asarray(r).dtype), extras['extrinsic'], reward
  )
