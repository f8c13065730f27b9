"""Picks the entries of actions, with NaN for absent actions."""

import chex
import jax
import jax.numpy as jnp


def select(values: jax.Array, index: chex.Numeric, axis: int) -> jax.Array:
  """Picks one entry along an axis.

  JAX reads index -1 as the last entry and clips one that is too large. Here
  -1 stands for no action, which must not pass for one.

  Args:
    values: float [..., K, ...], with K at `axis`.
    index: int, of the rank of `values` less `axis`; its axes have the size of
      those of `values`, or 1.
    axis: the axis to pick from, negative.

  Returns:
    float [..., ...] without `axis`; NaN where the index is outside 0..K-1.
  """
  choices = jnp.arange(values.shape[axis]).reshape(-1, *(1,) * (-axis - 1))
  is_picked = jnp.expand_dims(jnp.asarray(index), axis) == choices
  picked = jnp.where(is_picked, values, 0).sum(axis)
  return jnp.where(is_picked.any(axis), picked, jnp.nan)
