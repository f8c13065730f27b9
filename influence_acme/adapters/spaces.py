"""Converts between specs of dm_env and spaces of Gymnasium."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from dm_env import specs
from gymnasium import spaces


def to_space(spec: Any) -> spaces.Space:
  """Returns the space of the values that a dm_env spec, or a dict, allows.

  It is Discrete for a DiscreteArray, MultiBinary for booleans, a Dict for a
  dict, and a Box for everything else.
  """
  if isinstance(spec, Mapping):
    return spaces.Dict({name: to_space(part) for name, part in spec.items()})
  if isinstance(spec, specs.DiscreteArray):
    return spaces.Discrete(spec.num_values)
  if spec.dtype == bool:
    return spaces.MultiBinary(spec.shape)
  low: Any = -np.inf
  high: Any = np.inf
  if isinstance(spec, specs.BoundedArray):
    low, high = spec.minimum, spec.maximum
  elif np.issubdtype(spec.dtype, np.integer):
    low, high = np.iinfo(spec.dtype).min, np.iinfo(spec.dtype).max
  return spaces.Box(
    np.broadcast_to(low, spec.shape).astype(spec.dtype),
    np.broadcast_to(high, spec.shape).astype(spec.dtype),
    dtype=spec.dtype,
  )


def to_spec(space: spaces.Space, name: str) -> specs.Array:
  """Returns the spec of the values of a space that has this name.

  It is a BoundedArray, an Array of booleans, or a DiscreteArray of int32.

  Raises:
    ValueError: it is no Box, no MultiBinary, and no Discrete that starts at 0.
  """
  if isinstance(space, spaces.Discrete) and space.start == 0:
    return specs.DiscreteArray(int(space.n), np.int32, name=name)
  if isinstance(space, spaces.MultiBinary):
    return specs.Array(space.shape, bool, name=name)
  if isinstance(space, spaces.Box):
    return specs.BoundedArray(
      space.shape, space.dtype, space.low, space.high, name=name
    )
  raise ValueError(
    f'{name!r} is in {space}: it must be in a Box, a MultiBinary, or a '
    'Discrete that starts at 0.'
  )


def to_value(space: spaces.Space, value: Any, name: str) -> np.ndarray:
  """Checks that a value lies in a space of `to_spec`, and returns a copy of it.

  Returns:
    An array of the dtype of the space's spec: that of a Box is kept, boolean
    for a MultiBinary, int32 for a Discrete.

  Raises:
    ValueError: the value does not lie in the space; the name is for the error.
  """
  if isinstance(space, spaces.Box):
    problem = _describe_problem(space, value)
  else:
    problem = '' if space.contains(value) else f'is {value!r}'
  if problem:
    raise ValueError(
      f'{name} {problem}: it must lie in its space, {space}, and is not '
      'converted.'
    )
  return np.array(value, to_spec(space, name).dtype)


def nearest_to_zero(space: spaces.Space) -> Any:
  """Returns the value of a space of `to_spec` that is nearest to zero."""
  zero = np.zeros(space.shape or (), space.dtype)  # type: ignore[arg-type]
  if isinstance(space, spaces.Box):
    return np.clip(zero, space.low, space.high)
  return zero if zero.shape else zero[()]


def _describe_problem(space: spaces.Box, value: Any) -> str:
  """Describes an error of a value for a Box; '' if there is none."""
  if not isinstance(value, (np.ndarray, np.generic)):
    return f'is a {type(value).__name__}'
  if value.dtype != space.dtype:
    return f'has dtype {value.dtype}'
  if value.shape != space.shape:
    return f'has shape {value.shape}'
  array = np.asarray(value)
  # Comparisons with NaN are False.
  inside = (array >= space.low) & (array <= space.high) & np.isfinite(array)
  return '' if inside.all() else f'holds {array[~inside].flat[0]}'
