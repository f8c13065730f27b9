"""Computes rewards that depend on the others' rewards: the paper's comparisons.

- prosocial: the others' rewards are added to an agent's own;
- inequity averse: having less than others, and having more, is penalised.

Sources: Jaques et al. 2019 (arXiv 1810.08647v4), supplement, for the first;
Hughes et al., "Inequity aversion improves cooperation in intertemporal social
dilemmas", NeurIPS 2018 (arXiv 1803.08884), for the second.

Letters: `...` any batch axes, N the agents.
"""

import chex
import jax
import jax.numpy as jnp

from influence_acme.ops import arguments


def prosocial_reward(rewards: chex.Array, eta: chex.Numeric) -> jax.Array:
  """Adds the others' rewards to each agent's own, e^k + eta * sum_{i != k} e^i.

  Args:
    rewards: float [..., N], the agents' extrinsic rewards e.
    eta: number [], weight of the others' rewards: 0 changes nothing, 1 gives
      everyone the collective reward. The paper's best is 0.85.

  Returns:
    float32 [..., N].
  """
  chex.assert_shape(
    rewards, (..., None), custom_message='rewards must be [..., N].'
  )
  chex.assert_rank(eta, 0, custom_message='eta must be a number.')
  arguments.check_real('rewards', rewards)
  rewards = jnp.asarray(rewards, jnp.float32)
  return rewards + eta * (rewards.sum(-1, keepdims=True) - rewards)


def inequity_averse_reward(
  rewards: chex.Array,
  smoothed: chex.Array,
  *,
  alpha: chex.Numeric,
  beta: chex.Numeric,
  gamma: chex.Numeric,
  lam: chex.Numeric,
) -> tuple[jax.Array, jax.Array]:
  """Penalises an agent for having less than others, and more, for one step.

      w_t^i = gamma * lam * w_{t-1}^i + e_t^i
      r_t^i = e_t^i - alpha / (N - 1) * sum_j max(w_t^j - w_t^i, 0)
                    - beta / (N - 1) * sum_j max(w_t^i - w_t^j, 0)

  Both terms lower the reward; adding up negative differences and subtracting
  the sum, as one public implementation does, rewards being ahead instead.
  A single agent (N = 1) keeps its reward.

  Args:
    rewards: float [..., N], the agents' extrinsic rewards e_t.
    smoothed: float [..., N], w_{t-1}, as returned for the last step; the caller
      passes zeros at an episode's first step.
    alpha: number [], the weight of having less; published: 5.
    beta: number [], the weight of having more; published: 0.05.
    gamma: number [], the discount of the agents' returns.
    lam: number [], the decay of smoothed rewards; published: 0.975.

  Returns:
    The rewards r_t and the smoothed rewards w_t, float32 [..., N] each.
  """
  chex.assert_shape(
    rewards, (..., None), custom_message='rewards must be [..., N].'
  )
  chex.assert_shape(
    smoothed,
    jnp.shape(rewards),
    custom_message='smoothed must be [..., N], as rewards are.',
  )
  arguments.check_real('rewards', rewards)
  rewards = jnp.asarray(rewards, jnp.float32)
  smoothed = gamma * lam * jnp.asarray(smoothed, jnp.float32) + rewards

  num_others = max(rewards.shape[-1] - 1, 1)
  lead = smoothed[..., :, None] - smoothed[..., None, :]  # [..., N, N]: i, j
  behind = jnp.maximum(-lead, 0).sum(-1) / num_others  # [..., N]
  ahead = jnp.maximum(lead, 0).sum(-1) / num_others  # [..., N]
  return rewards - alpha * behind - beta * ahead, smoothed
