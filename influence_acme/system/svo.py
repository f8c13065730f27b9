"""Shapes rewards by social value orientation: a preferred reward angle.

The whole variant is here, and a line in `variants`: a reward-shaping variant is
a function of everyone's rewards.

Source: McKee et al., 2020 (arXiv 2002.02325), with the number of agents as a
factor, as in SocialJax.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp


def svo_reward(
  rewards: chex.Array, *, target: chex.Numeric, weight: chex.Numeric
) -> jax.Array:
  """Lowers rewards by the distance of their angle from a preferred one.

      theta^k = atan2(mean of e^i over i != k, e^k)
      r^k     = e^k - w * N * |theta^k - theta*|

  Args:
    rewards: float [..., N], the agents' extrinsic rewards e; N at least 2.
    target: theta*, in radians: 0 is selfish, pi / 4 prosocial, pi / 2
      altruistic.
    weight: w.

  Returns:
    float32 [..., N].
  """
  rewards = jnp.asarray(rewards, jnp.float32)
  num_agents = rewards.shape[-1]
  others = rewards.sum(-1, keepdims=True) - rewards
  angle = jnp.arctan2(others / (num_agents - 1), rewards)
  return rewards - weight * num_agents * jnp.abs(angle - target)


def shape(
  rewards: chex.Array, smoothed: chex.Array, config: Any
) -> tuple[chex.Array, chex.Array]:
  """Shapes rewards [..., N]; see `reward_shaping`."""
  shaped = svo_reward(
    rewards, target=config.svo_target, weight=config.svo_weight
  )
  return shaped, smoothed
