"""What dm_env calls specs, and Gymnasium spaces."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from dm_env import specs
from gymnasium import spaces


def to_space(spec: Any) -> spaces.Space:
  """Returns the space of the values that a spec allows.

  Args:
    spec: a dm_env spec, or a dict of such.

  Returns:
    Discrete of a DiscreteArray, MultiBinary of booleans, a Box of everything
    else, and a Dict of a dict.
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
  """Returns the spec of the values that a space holds.

  Args:
    space: a Box, MultiBinary, or a Discrete that starts at 0.
    name: of the spec, and of the space in an error.

  Returns:
    A BoundedArray, an Array of booleans, or a DiscreteArray of int32.

  Raises:
    ValueError: it is another space.
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
