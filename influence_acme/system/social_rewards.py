"""Shapes rewards as in the paper's comparisons: prosocial, inequity averse.

Letters: `...` batch axes, N agents.
"""

from typing import Any

import chex

from influence_acme import ops


def prosocial(
  rewards: chex.Array, smoothed: chex.Array, config: Any
) -> tuple[chex.Array, chex.Array]:
  """Adds the others' rewards, [..., N]; see `reward_shaping`."""
  return ops.prosocial_reward(rewards, config.prosocial_weight), smoothed


def inequity_averse(
  rewards: chex.Array, smoothed: chex.Array, config: Any
) -> tuple[chex.Array, chex.Array]:
  """Penalises having less or more, [..., N]; see `reward_shaping`."""
  return ops.inequity_averse_reward(
    rewards,
    smoothed,
    alpha=config.inequity_behind,
    beta=config.inequity_ahead,
    gamma=config.discount,
    lam=config.inequity_smoothing,
  )
