"""Shapes rewards by the rewards of others: the paper's comparisons.

Letters: `...` batch axes, N agents.
"""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from influence_acme import ops
from influence_acme.system import config as config_lib
from influence_acme.system import masks, variants

# (Rewards of a step, smoothed rewards before it) -> (shaped rewards, smoothed
# rewards after it); float32 [N, ...] each.
ShapeFn = Callable[[chex.Array, chex.Array], tuple[jax.Array, jax.Array]]


def make_shape_fn(config: config_lib.InfluenceConfig) -> ShapeFn | None:
  """Makes the shaping of rewards; None if they are not shaped.

  Args:
    config: of the agent.
  """
  prosocial = variants.has(config.variant, shaping='prosocial')
  averse = variants.has(config.variant, shaping='inequity_aversion')
  if not (prosocial.any() or averse.any()):
    return None

  def shape(rewards, smoothed):
    by_agent = jnp.moveaxis(rewards, 0, -1)  # [..., N]
    shaped = rewards
    if prosocial.any():
      caring = ops.prosocial_reward(by_agent, config.prosocial_weight)
      shaped = masks.select(prosocial, jnp.moveaxis(caring, -1, 0), shaped)
    if averse.any():
      fair, smoothed = ops.inequity_averse_reward(
        by_agent,
        jnp.moveaxis(smoothed, 0, -1),
        alpha=config.inequity_behind,
        beta=config.inequity_ahead,
        gamma=config.discount,
        lam=config.inequity_smoothing,
      )
      shaped = masks.select(averse, jnp.moveaxis(fair, -1, 0), shaped)
      smoothed = jnp.moveaxis(smoothed, -1, 0)
    return shaped, smoothed

  return shape
