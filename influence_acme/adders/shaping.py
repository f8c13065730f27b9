"""Wraps an Acme adder to shape the rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dm_env
import jax
import numpy as np
from acme import types
from acme.adders import base
from acme.adders.reverb import base as reverb_base

from influence_acme import checks
from influence_acme.adders import parts

ShapeFn = Callable[
  [types.NestedArray, Any], tuple[types.NestedArray, types.NestedArray]
]


class ShapingAdder(base.Adder):
  """Writes a function of the reward, and of the rewards before it.

  Inside of an `InfluenceAdder` with `keep_parts`, it shapes `extrinsic`, the
  environment's reward, and adds the weighted influence unchanged; the extras
  keep the parts of the caller's reward.
  """

  def __init__(
    self, adder: base.Adder, shape_fn: ShapeFn, initial_state: types.NestedArray
  ):
    """Initialises the adder.

    Args:
      adder: gets the steps with shaped rewards.
      shape_fn: (reward, state before the step) -> (shaped reward, of the same
        tree, shapes and dtypes; state after it); pure.
      initial_state: before the first step of every episode.
    """
    self._adder = adder
    self._shape_fn = checks.function('shape_fn', shape_fn)
    self._initial_state = initial_state
    self._state = initial_state
    self._in_episode = False

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode, and drops the state of the one before."""
    self._adder.add_first(timestep)
    self._state = self._initial_state
    self._in_episode = True

  def add(
    self,
    action: types.NestedArray,
    next_timestep: dm_env.TimeStep,
    extras: types.NestedArray = (),
  ) -> None:
    """Records an action and the time step after it, which is not changed.

    Raises:
      ValueError: the reward is not floating-point.
    """
    given = next_timestep.reward
    parts.check_floating(given)
    extrinsic = parts.extrinsic(extras, given)
    shaped, self._state = self._shape_fn(extrinsic, self._state)
    reward = jax.tree_util.tree_map(
      lambda x, e, r: np.asarray(x + (r - e), r.dtype), shaped, extrinsic, given
    )
    self._adder.add(action, next_timestep._replace(reward=reward), extras)
    self._in_episode = not next_timestep.last()

  def reset(self, timeout_ms: int | None = None) -> None:
    """Drops the open episode, if there is one, as `InfluenceAdder` does."""
    if self._in_episode and isinstance(self._adder, reverb_base.ReverbAdder):
      parts.close_row(self._adder)
    self._in_episode = False
    kwargs = {} if timeout_ms is None else {'timeout_ms': timeout_ms}
    self._adder.reset(**kwargs)

  def __getattr__(self, name: str) -> Any:
    """Returns other attributes of the inner adder, as `add_priority_table`."""
    if name == '_adder':  # Not initialised, as in unpickling: do not recurse.
      raise AttributeError(name)
    return getattr(self._adder, name)
