"""Rewards that heed what the others get: what the paper compares itself with.

Letters: `...` batch axes, N agents.
"""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from influence_acme import ops
from influence_acme.agents.influence import config as config_lib
from influence_acme.agents.influence import variants

# (Rewards of a step, smoothed rewards before it) -> (shaped rewards, smoothed
# rewards after it); float32 [N, ...] each.
ShapeFn = Callable[[chex.Array, chex.Array], tuple[jax.Array, jax.Array]]


def make_shape_fn(config: config_lib.InfluenceConfig) -> ShapeFn | None:
  """Returns how rewards are shaped; None if they are left as they are.

  Args:
    config: of the agent.
  """
  if config.variant == variants.PROSOCIAL:

    def prosocial(rewards, smoothed):
      by_agent = jnp.moveaxis(rewards, 0, -1)  # [..., N]
      shaped = ops.prosocial_reward(by_agent, config.prosocial_weight)
      return jnp.moveaxis(shaped, -1, 0), smoothed

    return prosocial

  if config.variant == variants.INEQUITY:

    def inequity_averse(rewards, smoothed):
      both = ops.inequity_averse_reward(
        jnp.moveaxis(rewards, 0, -1),
        jnp.moveaxis(smoothed, 0, -1),
        alpha=config.inequity_behind,
        beta=config.inequity_ahead,
        gamma=config.discount,
        lam=config.inequity_smoothing,
      )
      shaped, smoothed = (jnp.moveaxis(x, -1, 0) for x in both)
      return shaped, smoothed

    return inequity_averse

  return None
