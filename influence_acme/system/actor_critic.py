"""Computes the inputs that all actor-critic updates of one policy head share.

Letters: T steps (T + 1 rows of a sequence), B sequences, K choices.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp


class Head(NamedTuple):
  """Holds a policy and its value, and the data they learn from.

  Attributes:
    logits: float32 [T + 1, B, K].
    value: float32 [T + 1, B], in units of `unit`.
    choices: int32 [T + 1, B].
    behaviour_logits: float32 [T + 1, B, K], of the policy that chose.
    reward: float32 [T + 1, B], unscaled.
    unit: float32 [], reward per unit of value.
  """

  logits: chex.Array
  value: chex.Array
  choices: chex.Array
  behaviour_logits: chex.Array
  reward: chex.Array
  unit: chex.Array


class Estimates(NamedTuple):
  """Holds targets of one head that are fixed over the epochs of an update.

  Attributes:
    advantage: float32 [T, B], normalised.
    target: float32 [T, B], return in units of reward.
  """

  advantage: chex.Array
  target: chex.Array


def log_ratio(head: Head) -> jax.Array:
  """Returns log pi(choice) - log mu(choice), float32 [T, B]."""
  choices = head.choices[:-1, :, None]
  new, old = (
    jnp.take_along_axis(jax.nn.log_softmax(logits[:-1]), choices, axis=-1)
    for logits in (head.logits, head.behaviour_logits)
  )
  return (new - old)[..., 0]


def step_weights(is_padding: chex.Array) -> jax.Array:
  """Returns weights of mean 1 over the rows, 0 at padding.

  A weighted mean over rows is a mean over steps.

  Args:
    is_padding: bool [T + 1, B].

  Returns:
    float32 [T, B].
  """
  is_step = 1.0 - is_padding[:-1].astype(jnp.float32)
  return is_step / jnp.maximum(jnp.mean(is_step), 1e-8)


def discounts(
  discount: chex.Array, is_padding: chex.Array, gamma: float
) -> jax.Array:
  """Returns the discount of every step, 0 at padding.

  Args:
    discount: float32 [T + 1, B], the environment's.
    is_padding: bool [T + 1, B].
    gamma: of the agent.

  Returns:
    float32 [T, B].
  """
  return gamma * discount[:-1] * (1.0 - is_padding[:-1])


def lambdas(is_padding: chex.Array, lambda_: float) -> jax.Array:
  """Returns the mixing parameter of every step, float32 [T, B].

  It is 0 before padding: the value of an episode's last observation
  bootstraps there.

  Args:
    is_padding: bool [T + 1, B].
    lambda_: of V-trace or of GAE.
  """
  return lambda_ * (1.0 - is_padding[1:].astype(jnp.float32))
