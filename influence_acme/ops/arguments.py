"""Checks arrays that are given to an op.

Dtypes are known while JAX compiles, and are always checked. Values are known in
a call outside of `jax.jit`, where the cheap checks are always made. In debug
mode, with INFLUENCE_ACME_DEBUG=1 in the environment, they are made inside of
compiled functions too, and absent actions, which give NaN, are errors.
"""

import functools
import os
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import numpy as np

_KINDS = {float: 'floating-point', int: 'integers', bool: 'bool'}


def is_debug() -> bool:
  """Returns whether values are checked inside of compiled functions, too."""
  return os.environ.get('INFLUENCE_ACME_DEBUG') == '1'


def check_type(name: str, array: chex.Array, kind: type) -> None:
  """Raises AssertionError: an array is not of the kind: float, int or bool."""
  array = jnp.asarray(array)
  chex.assert_type(
    array,
    kind,
    custom_message=f'{name} is of {array.dtype}: it must be of {_KINDS[kind]}.',
  )


def check_real(name: str, array: chex.Array) -> None:
  """Raises ValueError: an array is complex, whose half would be dropped."""
  if jnp.iscomplexobj(array):
    raise ValueError(f'{name} is complex: it must be of real numbers.')


def check_flags(name: str, array: chex.Array | None) -> None:
  """Raises ValueError: a mask holds more than True and False, or 0 and 1."""
  if array is not None and jnp.asarray(array).dtype != bool:
    _check(name, array, lambda x: (x == 0) | (x == 1), 'bool, or 0 and 1')


def check_weights(name: str, array: chex.Array | None) -> None:
  """Raises ValueError: weights are negative or not finite."""
  if array is not None and jnp.asarray(array).dtype != bool:
    _check(
      name, array, lambda x: (x >= 0) & np.isfinite(x), 'finite, at least 0'
    )


def check_indices(
  name: str, array: chex.Array | None, size: int, counts: chex.Array
) -> None:
  """Checks indices; in debug mode their values too, which give NaN otherwise.

  Args:
    name: of the argument.
    array: int [...]; None is not checked.
    size: number of choices.
    counts: bool [...], False for indices that are masked out.

  Raises:
    AssertionError: they are no integers.
    ValueError: an index that counts is not in 0..size-1, in debug mode.
  """
  if array is None:
    return
  check_type(name, array, int)
  if is_debug():
    inside = (jnp.asarray(array) >= 0) & (jnp.asarray(array) < size)
    shown = jnp.where(inside | ~counts, 0, array)
    _check(name, shown, lambda x: x == 0, f'in 0..{size - 1}')


def _check(
  name: str,
  array: chex.Array,
  is_valid: Callable[[np.ndarray], np.ndarray],
  allowed: str,
) -> None:
  """Checks values at once, or in debug mode when a compiled function runs."""
  compare = functools.partial(_compare, name, is_valid, allowed)
  if not isinstance(array, jax.core.Tracer):
    compare(array)
  elif is_debug():
    jax.debug.callback(compare, array)


def _compare(
  name: str,
  is_valid: Callable[[np.ndarray], np.ndarray],
  allowed: str,
  array: chex.Array,
) -> None:
  values = np.asarray(array)
  wrong = values[~is_valid(values)]
  if wrong.size:
    raise ValueError(f'{name} holds {wrong.flat[0]}: it must be {allowed}.')
