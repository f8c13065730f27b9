"""The V-trace actor-critic of one policy and its value.

Which rows are no steps, `losses` says. Letters: T steps (T + 1 rows), B
sequences, K choices.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import rlax

from influence_acme.system import config as config_lib


class Head(NamedTuple):
  """A policy and its value, and what they learn from.

  Attributes:
    logits: float32 [T + 1, B, K].
    value: float32 [T + 1, B].
    choices: int32 [T + 1, B].
    behaviour_logits: float32 [T + 1, B, K], by which these were chosen.
    reward: float32 [T + 1, B], not yet scaled.
  """

  logits: chex.Array
  value: chex.Array
  choices: chex.Array
  behaviour_logits: chex.Array
  reward: chex.Array


def importance_ratio(head: Head) -> chex.Array:
  """Returns how much likelier than then the choices are now, float32 [T, B]."""
  return rlax.categorical_importance_sampling_ratios(
    head.logits[:-1], head.behaviour_logits[:-1], head.choices[:-1]
  )


def losses(
  head: Head,
  rhos: chex.Array,
  discount: chex.Array,
  is_dummy: chex.Array,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Returns the policy loss, value loss and entropy; means over real steps.

  Args:
    head: of one agent.
    rhos: float32 [T, B], importance ratios of all that was chosen.
    discount: float32 [T + 1, B], the environment's.
    is_dummy: bool [T + 1, B].
    config: for the reward scale, discount and lambda.
  """
  is_step = 1.0 - is_dummy[:-1].astype(jnp.float32)  # [T, B]
  # Of a row before a dummy row the next row is no step: its value bootstraps.
  lambda_ = config.vtrace_lambda * (1.0 - is_dummy[1:].astype(jnp.float32))
  logits, choices = head.logits[:-1], head.choices[:-1]
  vtrace = jax.vmap(rlax.vtrace_td_error_and_advantage, in_axes=1, out_axes=1)(
    head.value[:-1],
    head.value[1:],
    config.reward_scale * head.reward[:-1],
    config.discount * discount[:-1] * is_step,
    jax.lax.stop_gradient(rhos),
    lambda_,
  )
  # Weights of mean 1, so that rlax's means over rows are means over steps.
  weights = is_step / jnp.maximum(jnp.mean(is_step), 1e-8)

  def batched(fn):
    return jax.vmap(fn, in_axes=1)

  return {
    'policy_loss': jnp.mean(
      batched(rlax.policy_gradient_loss)(
        logits, choices, vtrace.pg_advantage, weights
      )
    ),
    'value_loss': jnp.mean(weights * rlax.l2_loss(vtrace.errors)),
    'entropy': -jnp.mean(batched(rlax.entropy_loss)(logits, weights)),
    'value': jnp.mean(weights * head.value[:-1]) / config.reward_scale,
  }
