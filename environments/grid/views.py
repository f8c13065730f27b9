"""Cuts each agent's view: a square around it, turned so that ahead is up.

Letters: N agents, V the side of a view, R x C the map.
"""

import chex
import jax
import jax.numpy as jnp

from influence_acme.environments.grid import colours, moves

# The side of the paper's views.
SIZE = 15


def observe(
  picture: chex.Array,
  positions: chex.Array,
  headings: chex.Array,
  size: int = SIZE,
) -> chex.Array:
  """Cuts the views of all agents out of the picture of the map.

  Args:
    picture: uint32 [R, C], packed colours.
    positions: int32 [N, 2].
    headings: int32 [N].
    size: V, odd.

  Returns:
    uint8 [N, V, V, 3]; black outside of the map.
  """
  padded = jnp.pad(picture, size // 2)

  def view(position: chex.Array, heading: chex.Array) -> chex.Array:
    return turn(jax.lax.dynamic_slice(padded, position, (size, size)), heading)

  return colours.unpack(jax.vmap(view)(positions, headings))


def turn(square: chex.Array, heading: chex.Array) -> chex.Array:
  """Turns a square so that ahead is up.

  Args:
    square: [S, S] of any type, with row 0 in the direction UP.
    heading: int32 [].

  Returns:
    The turned square, [S, S].
  """
  sideways = (heading == moves.RIGHT) | (heading == moves.LEFT)
  # RIGHT becomes up and LEFT becomes down; then DOWN and LEFT become up.
  square = jnp.where(sideways, jnp.rot90(square), square)
  turned = (heading == moves.DOWN) | (heading == moves.LEFT)
  return jnp.where(turned, jnp.rot90(square, 2), square)


def visible(positions: chex.Array, size: int = SIZE) -> chex.Array:
  """Returns bool [N, N]: the column's agent is in the row's agent's view.

  Args:
    positions: int32 [N, 2].
    size: V, odd.
  """
  distance = jnp.abs(positions[:, None] - positions[None, :])  # [N, N, 2]
  near = jnp.all(distance <= size // 2, axis=-1)
  return near & ~jnp.eye(positions.shape[0], dtype=bool)
