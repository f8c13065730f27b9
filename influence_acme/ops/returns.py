"""How a group fares: how much it gets, how equally, when, and how peacefully.

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


def gini(returns: chex.Array) -> jax.Array:
  """Gini coefficient, sum_ij |R^i - R^j| / (2 N sum_i R^i) (Eq. 9).

  It compares differences with a total, so that it has no meaning where there
  is no positive total to share: then it is NaN, except that who all get the
  same, whatever it is, are equal (0). Of returns that are not negative it is
  in [0, (N - 1) / N]; others may get it above 1, as fines do.

  Args:
    returns: float [..., N], what each agent got in an episode.

  Returns:
    float32 [...]: 0 if all got the same, (N - 1) / N if one got everything,
    NaN if the sum is zero or negative and not all got the same.
  """
  chex.assert_shape(
    returns, (..., None), custom_message='returns must be [..., N].'
  )
  returns = jnp.asarray(returns, jnp.float32)
  lead = returns[..., :, None] - returns[..., None, :]  # [..., N, N]
  difference = jnp.abs(lead).mean((-2, -1))
  mean = returns.mean(-1)
  has_total = mean > 0
  ratio = difference / jnp.where(has_total, 2 * mean, 1)
  return jnp.where(has_total | (difference == 0), ratio, jnp.nan)


def equality(returns: chex.Array) -> jax.Array:
  """How equally the agents share: 1 - Gini coefficient.

  Args:
    returns: float [..., N], what each agent got in an episode.

  Returns:
    float32 [...]: 1 if all got the same, 1 / N if one got everything, below 0
    if fines make it so; NaN where `gini` is.
  """
  return 1 - gini(returns)


def fair_return(returns: chex.Array) -> jax.Array:
  """The collective return times the equality, R (1 - G).

  Written as sum_i R^i - sum_ij |R^i - R^j| / (2 N), which is the same where
  there is a positive total, and has a meaning everywhere else too.

  Args:
    returns: float [..., N], what each agent got in an episode.

  Returns:
    float32 [...], reward an episode; at most the collective return.
  """
  chex.assert_shape(
    returns, (..., None), custom_message='returns must be [..., N].'
  )
  returns = jnp.asarray(returns, jnp.float32)
  lead = returns[..., :, None] - returns[..., None, :]  # [..., N, N]
  return returns.sum(-1) - jnp.abs(lead).mean(-1).sum(-1) / 2


def efficiency(rewards: chex.Array) -> jax.Array:
  """What the group gets in a step, sum_i R^i / T (the utilitarian metric U).

  Args:
    rewards: float [T, N], the agents' rewards in an episode.

  Returns:
    float32 [], reward a step.
  """
  _check_trajectory(rewards, 'rewards')
  return jnp.asarray(rewards, jnp.float32).sum(-1).mean()


def sustainability(rewards: chex.Array) -> jax.Array:
  """When the agents get their rewards, (1 / N) sum_i t^i.

  t^i is the mean step, counted from 0, at which agent i's reward is positive:
  around (T - 1) / 2 if the source lasts, near 0 if it is soon used up. Who is
  never rewarded has no such time and is left out of the mean (N counts the
  others), so that a lazy agent does not make the group look greedy.

  Args:
    rewards: float [T, N], the agents' rewards in an episode.

  Returns:
    float32 [], steps, in [0, T - 1]; NaN if nobody is ever rewarded.
  """
  _check_trajectory(rewards, 'rewards')
  is_paid = jnp.asarray(rewards) > 0  # [T, N]
  steps = jnp.arange(is_paid.shape[0], dtype=jnp.float32)[:, None]
  return mean_paid_time(is_paid.sum(0), jnp.where(is_paid, steps, 0).sum(0))


def mean_paid_time(count: chex.Array, total: chex.Array) -> jax.Array:
  """`sustainability` of sums, for whoever does not keep all rewards.

  Args:
    count: int [N], in how many steps each agent's reward was positive.
    total: float32 [N], the sum of these steps, counted from 0.

  Returns:
    float32 [], steps; NaN if nobody is ever rewarded.
  """
  times = jnp.asarray(total, jnp.float32) / jnp.maximum(count, 1)  # [N]
  num_paid = (jnp.asarray(count) > 0).sum()
  mean = times.sum() / jnp.maximum(num_paid, 1)  # 0 of who is never rewarded.
  return jnp.where(num_paid > 0, mean, jnp.nan)


def peace(fined: chex.Array) -> jax.Array:
  """How many agents are left in peace, (N T - sum_it fined_t^i) / T.

  The source counts the steps that agents spend tagged out. Where a fine costs
  reward and no time, as in Cleanup and Harvest, count the steps at which a
  fining beam hits.

  Args:
    fined: bool [T, N], who was hit (or is out) at each step of an episode.

  Returns:
    float32 [], agents, in [0, N]; N if nobody was ever hit.
  """
  _check_trajectory(fined, 'fined')
  chex.assert_type(fined, bool)
  return (~jnp.asarray(fined)).sum(-1).astype(jnp.float32).mean()


def _check_trajectory(array: chex.Array, name: str) -> None:
  chex.assert_shape(
    array,
    (None, None),
    custom_message=f'{name} must be [T, N]; use jax.vmap for a batch.',
  )
