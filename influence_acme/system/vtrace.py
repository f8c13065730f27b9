"""Computes V-trace losses (Espeholt et al., 2018) of one head.

Letters: T steps (T + 1 rows of a sequence), B sequences.
"""

import chex
import jax
import jax.numpy as jnp
import rlax

from influence_acme.system import actor_critic
from influence_acme.system import config as config_lib


def losses(
  head: actor_critic.Head,
  log_ratio: chex.Array,
  discount: chex.Array,
  is_padding: chex.Array,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Computes the policy loss, value loss and entropy; means over steps.

  Args:
    head: of one agent.
    log_ratio: float32 [T, B], of all choices of a step.
    discount: float32 [T + 1, B], the environment's.
    is_padding: bool [T + 1, B].
    config: for the discount and lambda.

  Returns:
    Name -> float32 []; and 'target', float32 [T, B], in units of reward.
  """
  # Padding ends a trace: the value of the last observation bootstraps.
  vtrace = jax.vmap(rlax.vtrace_td_error_and_advantage, in_axes=1, out_axes=1)(
    head.value[:-1],
    head.value[1:],
    head.reward[:-1] / head.unit,
    actor_critic.discounts(discount, is_padding, config.discount),
    jax.lax.stop_gradient(jnp.exp(log_ratio)),
    actor_critic.lambdas(is_padding, config.vtrace_lambda),
  )
  weights = actor_critic.step_weights(is_padding)
  logits, choices = head.logits[:-1], head.choices[:-1]
  policy_loss = jax.vmap(rlax.policy_gradient_loss, in_axes=1)(
    logits, choices, vtrace.pg_advantage, weights
  )
  entropy_loss = jax.vmap(rlax.entropy_loss, in_axes=1)(logits, weights)
  target = jax.lax.stop_gradient(vtrace.errors + head.value[:-1])
  return {
    'policy_loss': jnp.mean(policy_loss),
    'value_loss': jnp.mean(weights * rlax.l2_loss(vtrace.errors)),
    'entropy': -jnp.mean(entropy_loss),
    'value': jnp.mean(weights * head.value[:-1]) * head.unit,
    'target': target * head.unit,
  }
