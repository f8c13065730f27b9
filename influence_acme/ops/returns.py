"""Measures a group's returns: their size, equality and time, and peace.

These measure one episode; average them over episodes, and use `jax.vmap` for
many at once. The agents' rewards are the extrinsic ones, before any shaping.

Sources: Jaques et al. 2019 (arXiv 1810.08647v4), Eq. 9, for Gini and equality;
Perolat et al., "A multi-agent reinforcement learning model of common-pool
resource appropriation", NeurIPS 2017 (arXiv 1707.06600), for the others.

Letters: `...` any batch axes, T steps of one episode, N agents.
"""

import chex
import jax
import jax.numpy as jnp

from influence_acme.ops import arguments


def gini(returns: chex.Array) -> jax.Array:
  """Computes the Gini coefficient, Eq. 9: sum_ij |R^i - R^j| / (2 N sum_i R^i).

  It divides differences by a total, and is undefined without a positive total:
  then it is NaN, except that it is 0 for equal returns of any size. For returns
  that are not negative it is in [0, (N - 1) / N]; negative ones, as by fines,
  can make it larger than 1.

  Args:
    returns: float [..., N], each agent's return of an episode.

  Returns:
    float32 [...]: 0 if all are equal, (N - 1) / N if one agent has everything,
    NaN if the sum is zero or negative and not all are equal.
  """
  chex.assert_shape(
    returns, (..., None), custom_message='returns must be [..., N].'
  )
  arguments.check_real('returns', returns)
  returns = jnp.asarray(returns, jnp.float32)
  lead = returns[..., :, None] - returns[..., None, :]  # [..., N, N]
  difference = jnp.abs(lead).mean((-2, -1))
  mean = returns.mean(-1)
  has_total = mean > 0
  ratio = difference / jnp.where(has_total, 2 * mean, 1)
  return jnp.where(has_total | (difference == 0), ratio, jnp.nan)


def equality(returns: chex.Array) -> jax.Array:
  """Computes the equality of returns, 1 - Gini coefficient.

  Args:
    returns: float [..., N], each agent's return of an episode.

  Returns:
    float32 [...]: 1 if all are equal, 1 / N if one agent has everything, can be
    below 0 with negative returns; NaN where `gini` is.
  """
  return 1 - gini(returns)


def fair_return(returns: chex.Array) -> jax.Array:
  """Computes the collective return times the equality, R (1 - G).

  It is sum_i R^i - sum_ij |R^i - R^j| / (2 N), which is the same for a positive
  total, and is defined for any other too.

  Args:
    returns: float [..., N], each agent's return of an episode.

  Returns:
    float32 [...], reward an episode; at most the collective return.
  """
  chex.assert_shape(
    returns, (..., None), custom_message='returns must be [..., N].'
  )
  arguments.check_real('returns', returns)
  returns = jnp.asarray(returns, jnp.float32)
  lead = returns[..., :, None] - returns[..., None, :]  # [..., N, N]
  return returns.sum(-1) - jnp.abs(lead).mean(-1).sum(-1) / 2


def efficiency(rewards: chex.Array) -> jax.Array:
  """Computes the group's reward a step, sum_i R^i / T (utilitarian metric U).

  Args:
    rewards: float [T, N], the agents' rewards in an episode.

  Returns:
    float32 [], reward a step.
  """
  _check_trajectory(rewards, 'rewards')
  return jnp.asarray(rewards, jnp.float32).sum(-1).mean()


def sustainability(rewards: chex.Array) -> jax.Array:
  """Computes the mean time of positive rewards, (1 / N) sum_i t^i.

  t^i is the mean step, counted from 0, at which agent i's reward is positive:
  around (T - 1) / 2 if the source lasts, near 0 if it is soon used up. An agent
  without any positive reward has no such time and is left out of the mean (N
  counts the others), so that a lazy agent does not make the group look greedy.

  Args:
    rewards: float [T, N], the agents' rewards in an episode.

  Returns:
    float32 [], steps, in [0, T - 1]; NaN if no reward is positive.
  """
  _check_trajectory(rewards, 'rewards')
  is_paid = jnp.asarray(rewards) > 0  # [T, N]
  steps = jnp.arange(is_paid.shape[0], dtype=jnp.float32)[:, None]
  return mean_paid_time(is_paid.sum(0), jnp.where(is_paid, steps, 0).sum(0))


def mean_paid_time(count: chex.Array, total: chex.Array) -> jax.Array:
  """Computes `sustainability` from sums, without all rewards of the episode.

  Args:
    count: int [N], the number of steps with a positive reward of each agent.
    total: float32 [N], the sum of these steps, counted from 0.

  Returns:
    float32 [], steps; NaN if no reward is positive.
  """
  times = jnp.asarray(total, jnp.float32) / jnp.maximum(count, 1)  # [N]
  num_paid = (jnp.asarray(count) > 0).sum()
  mean = times.sum() / jnp.maximum(num_paid, 1)  # 0 if never rewarded.
  return jnp.where(num_paid > 0, mean, jnp.nan)


def peace(fined: chex.Array) -> jax.Array:
  """Computes the mean number of agents not fined, (N T - sum_it fined_t^i) / T.

  The source counts the steps that agents spend tagged out. If a fine costs
  reward and no time, as in Cleanup and Harvest, count the steps at which a
  fining beam hits.

  Args:
    fined: bool [T, N], the agents hit (or out) at each step of an episode.

  Returns:
    float32 [], agents, in [0, N]; N if no agent was ever hit.
  """
  _check_trajectory(fined, 'fined')
  arguments.check_type('fined', fined, bool)
  return (~jnp.asarray(fined)).sum(-1).astype(jnp.float32).mean()


def _check_trajectory(array: chex.Array, name: str) -> None:
  arguments.check_real(name, array)
  chex.assert_shape(
    array,
    (None, None),
    custom_message=f'{name} must be [T, N]; use jax.vmap for a batch.',
  )
