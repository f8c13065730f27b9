"""Shapes each agent's extrinsic reward by the rewards of all.

A shaping is a function of everyone's rewards of a step, [..., N], and of
smoothed rewards of the episode so far, likewise, which it may update.

Letters: `...` batch axes, N agents.
"""

import importlib
from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp

from influence_acme.system import config as config_lib
from influence_acme.system import masks, variants

# (Rewards of a step, smoothed rewards before it) -> (shaped rewards, smoothed
# rewards after it); float32 [N, ...] each.
ShapeFn = Callable[[chex.Array, chex.Array], tuple[jax.Array, jax.Array]]


def make_shape_fn(config: config_lib.InfluenceConfig) -> ShapeFn | None:
  """Makes the function that shapes rewards; None if no agent's is shaped.

  Args:
    config: of the agent.
  """
  shapings = {x: _load(x) for x in variants.shapings(config.variant)}
  if not shapings:
    return None

  def shape(rewards, smoothed):
    by_agent = jnp.moveaxis(rewards, 0, -1)  # [..., N]
    smoothed_by_agent = jnp.moveaxis(smoothed, 0, -1)
    shaped = rewards
    for name, function in shapings.items():
      members = variants.has(config.variant, shaping=name)
      of_members, smoothed_by_agent = function(
        by_agent, smoothed_by_agent, config
      )
      shaped = masks.select(members, jnp.moveaxis(of_members, -1, 0), shaped)
    return shaped, jnp.moveaxis(smoothed_by_agent, -1, 0)

  return shape


def _load(name: str) -> Callable[..., Any]:
  """Returns the function of this name in a module of this package."""
  module, function = name.split('.')
  loaded: Callable[..., Any] = getattr(
    importlib.import_module(f'{__package__}.{module}'), function
  )
  return loaded
