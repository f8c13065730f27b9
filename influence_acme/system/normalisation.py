"""Tracks the running scale of returns, the unit in which values are learned.

The unit of a head is an average over updates of abs(mean) + deviation of its
targets: the size of a return of that agent. With the influence normalised, the
discounted influence is brought to the size of the discounted extrinsic rewards
by its deviation, as RND (Burda et al., 2019) scales its bonus, so that the
weight is a share of the extrinsic return. The targets would not do for that:
they hold the influence, and would grow with it without end.

Letters: T steps, B sequences, H heads (1, or 2 with messages).
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme.system import config as config_lib

# Decay of the average over updates.
_DECAY = 0.95
# Least deviation of discounted influence, in nats.
_LEAST_INFLUENCE = 1e-6


class ReturnScale(NamedTuple):
  """Holds averages over updates, of one agent; they begin at zero.

  Attributes:
    returns: float32 [H], of the size of targets, in units of reward.
    extrinsic: float32 [], of the size of discounted extrinsic rewards.
    influence: float32 [], of the deviation of discounted influence, in nats.
    weight: float32 [], the share of data in an average.
  """

  returns: chex.Array
  extrinsic: chex.Array
  influence: chex.Array
  weight: chex.Array


def init(num_heads: int) -> ReturnScale:
  """Returns averages before any update.

  Args:
    num_heads: H.
  """
  zero = jnp.zeros((), jnp.float32)
  return ReturnScale(jnp.zeros(num_heads, jnp.float32), zero, zero, zero)


def units(scale: ReturnScale, config: config_lib.InfluenceConfig) -> chex.Array:
  """Returns reward per unit of value of each head, float32 [H].

  Args:
    scale: of one agent.
    config: for the fixed scale, if returns are not normalised.
  """
  if not config.normalise_returns:
    return jnp.full_like(scale.returns, 1.0 / config.reward_scale)
  known = scale.returns / jnp.maximum(scale.weight, 1e-8)
  return jnp.where(
    scale.weight > 0, jnp.maximum(known, config.min_return_scale), 1.0
  )


def influence_factor(
  scale: ReturnScale, config: config_lib.InfluenceConfig
) -> chex.Array:
  """Returns the factor of the weighted influence in the reward, float32 [].

  Args:
    scale: of one agent.
    config: 1 unless it normalises the influence, or before any data.
  """
  if not config.normalise_influence:
    return jnp.ones((), jnp.float32)
  weight = jnp.maximum(scale.weight, 1e-8)
  size = jnp.maximum(scale.extrinsic / weight, config.min_return_scale)
  deviation = jnp.maximum(scale.influence / weight, _LEAST_INFLUENCE)
  return jnp.where(scale.weight > 0, size / deviation, 1.0)


def track(
  scale: ReturnScale,
  targets: Sequence[chex.Array],
  extrinsic: chex.Array,
  influence: chex.Array,
  discounts: chex.Array,
  weights: chex.Array,
) -> ReturnScale:
  """Adds the data of one update to the averages.

  Args:
    scale: of one agent.
    targets: of each head, float32 [T, B], in units of reward.
    extrinsic: float32 [T, B], the environment's rewards.
    influence: float32 [T, B], in nats.
    discounts: float32 [T, B], 0 at the end of an episode.
    weights: float32 [T, B], of mean 1 over the steps; 0 if there are none, of
      an agent that is dead throughout.

  Returns:
    The averages.
  """

  def moments(x: chex.Array) -> tuple[chex.Array, chex.Array]:
    mean = jnp.mean(weights * x)
    return mean, jnp.sqrt(jnp.mean(weights * (x - mean) ** 2))

  def size(x: chex.Array) -> chex.Array:
    mean, deviation = moments(x)
    return jnp.abs(mean) + deviation

  new = ReturnScale(
    jnp.stack([size(x) for x in targets]),
    size(_discounted_sums(extrinsic, discounts)),
    moments(_discounted_sums(influence, discounts))[1],
    jnp.any(weights > 0).astype(jnp.float32),
  )
  return jax.tree_util.tree_map(
    lambda x, y: _DECAY * x + (1.0 - _DECAY) * y, scale, new
  )


def _discounted_sums(x: chex.Array, discounts: chex.Array) -> chex.Array:
  """Returns sums from each step to the last one, float32 [T, B]."""

  def add(total, step):
    total = step[0] + step[1] * total
    return total, total

  _, sums = jax.lax.scan(
    add, jnp.zeros_like(x[0]), (x, discounts), reverse=True
  )
  return sums
