"""Makes arrays of what an environment of JaxMARL's API puts out."""

from typing import Any

import jax
import jax.numpy as jnp

from influence_acme.environments import base


def keep_dtype(x: Any, like: jax.Array) -> jax.Array:
  """Returns a part of the next state, with the dtype that it had before.

  Raises:
    ValueError: it is of another kind, as a float where an integer was.
  """
  x = jnp.asarray(x)
  if not jnp.can_cast(x.dtype, like.dtype, 'same_kind'):
    raise ValueError(
      f'The state of the environment has {x.dtype} after a step where it had '
      f"{like.dtype} after the reset: it must keep its dtypes, as JaxMARL's "
      'own `step` demands; mend it in a subclass of the environment.'
    )
  return x.astype(like.dtype)


def strong(x: Any) -> jax.Array:
  """Returns an array with a dtype of its own, or functions compile twice."""
  x = jnp.asarray(x)
  return jnp.asarray(x, x.dtype)


def to_observation(own: Any) -> jax.Array:
  """Returns an agent's observation as pixels or as a vector."""
  leaves = [jnp.asarray(x) for x in jax.tree_util.tree_leaves(own)]
  if len(leaves) == 1 and base.is_observation(leaves[0].shape, leaves[0].dtype):
    return leaves[0]
  return jnp.concatenate([x.astype(jnp.float32).ravel() for x in leaves])
