"""Wraps an Acme adder to shape the rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dm_env
import jax
import numpy as np
from acme import types
from acme.adders import base

from influence_acme import checks
from influence_acme.adders import parts, wrapper

ShapeFn = Callable[
  [types.NestedArray, Any], tuple[types.NestedArray, types.NestedArray]
]


class ShapingAdder(wrapper.AdderWrapper):
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
    super().__init__(adder)
    self._shape_fn = checks.function('shape_fn', shape_fn)
    self._initial_state = initial_state
    self._state = initial_state

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode, and drops the state of the one before."""
    super().add_first(timestep)
    self._state = self._initial_state

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
    super().add(action, next_timestep._replace(reward=reward), extras)
