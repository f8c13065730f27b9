"""Computes PPO losses (Schulman et al., 2017) of one head.

Letters: T steps (T + 1 rows of a sequence), B sequences.
"""

import chex
import jax
import jax.numpy as jnp
import rlax

from influence_acme.system import actor_critic
from influence_acme.system import config as config_lib


def estimate(
  head: actor_critic.Head,
  discount: chex.Array,
  is_padding: chex.Array,
  config: config_lib.InfluenceConfig,
) -> actor_critic.Estimates:
  """Estimates advantages by GAE, and returns, before the first epoch.

  Advantages are normalised by their own deviation, but by no less than a share
  of the unit of values: if rewards vanish, a plain normalisation would amplify
  noise until the policy collapses.

  Args:
    head: of one agent, under the parameters that the update starts from.
    discount: float32 [T + 1, B], the environment's.
    is_padding: bool [T + 1, B].
    config: for the discount, lambda, and the floor.

  Returns:
    The estimates.
  """
  values = head.value * head.unit
  advantage = jax.vmap(
    rlax.truncated_generalized_advantage_estimation, in_axes=1, out_axes=1
  )(
    head.reward[:-1],
    actor_critic.discounts(discount, is_padding, config.discount),
    actor_critic.lambdas(is_padding, config.ppo.gae_lambda),
    values,
  )
  weights = actor_critic.step_weights(is_padding)
  centred = advantage - jnp.mean(weights * advantage)
  deviation = jnp.sqrt(jnp.mean(weights * centred**2))
  floor = config.ppo.advantage_floor * head.unit
  return jax.lax.stop_gradient(
    actor_critic.Estimates(
      advantage=centred / jnp.maximum(deviation, floor),
      target=advantage + values[:-1],
    )
  )


def losses(
  head: actor_critic.Head,
  log_ratio: chex.Array,
  estimates: actor_critic.Estimates,
  is_padding: chex.Array,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Computes the clipped policy loss, value loss and entropy.

  Args:
    head: of one agent.
    log_ratio: float32 [T, B], of all choices of a step; only this head's part
      has a gradient.
    estimates: of the head.
    is_padding: bool [T + 1, B].
    config: for the clip.

  Returns:
    Name -> float32 [], means over steps.
  """
  clip = config.ppo.clip
  weights = actor_critic.step_weights(is_padding)
  ratio = jnp.exp(log_ratio)
  clipped = jnp.clip(ratio, 1.0 - clip, 1.0 + clip)
  surrogate = jnp.minimum(
    ratio * estimates.advantage, clipped * estimates.advantage
  )
  log_policy = jax.nn.log_softmax(head.logits[:-1])
  entropy = -jnp.sum(jnp.exp(log_policy) * log_policy, axis=-1)
  error = head.value[:-1] - estimates.target / head.unit
  return {
    'policy_loss': -jnp.mean(weights * surrogate),
    'value_loss': jnp.mean(weights * rlax.l2_loss(error)),
    'entropy': jnp.mean(weights * entropy),
    'value': jnp.mean(weights * head.value[:-1]) * head.unit,
    'clip_fraction': jnp.mean(weights * (jnp.abs(ratio - 1.0) > clip)),
    'policy_kl': jnp.mean(weights * (ratio - 1.0 - log_ratio)),
  }
