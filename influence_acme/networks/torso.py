"""Torsos: modules that map what an agent observes to features.

A torso is a Haiku module, or any function of Haiku modules, that maps one batch
of the observation's 'world', [B, ...], to features, float32 [B, F]. The agent
calls it on all steps of a sequence at once, [T * B, ...], before the scan over
time. Two attributes, False if absent, change that:

  in_scan: the agent calls it step by step instead, inside the scan.
  batch_last: it returns [F, B].

Letters: T time, B batch, H x W x C the height, width and channels of a view, D
the length of a vector, F features.
"""

from collections.abc import Callable, Sequence

import chex
import haiku as hk
import jax.numpy as jnp
import numpy as np
from numpy import typing as npt

from influence_acme.networks import pixel_conv

# Makes a torso inside a Haiku transform; a class of modules is one.
Torso = Callable[[], Callable[[chex.Array], chex.Array]]

_ALLOWED = (
  'uint8 [H, W, C], pixels, with H and W at least 3, or float32 [D], a vector'
)


def default_torso(shape: Sequence[int], dtype: npt.DTypeLike) -> Torso:
  """Returns the torso for observations of a shape and dtype.

  Args:
    shape: of one agent's 'world': [H, W, C] or [D].
    dtype: uint8 of pixels, float32 of a vector.

  Returns:
    `PixelConv` for pixels, `Identity` for vectors.

  Raises:
    ValueError: there is no torso for such observations.
  """
  if min(shape, default=0) > 0:
    if pixel_conv.is_view(shape, dtype):
      return pixel_conv.PixelConv
    if len(shape) == 1 and np.dtype(dtype) == np.float32:
      return Identity
  raise ValueError(
    f"'world' is {np.dtype(dtype)} {tuple(shape)}: it must be {_ALLOWED}; for "
    'others give a torso of your own, torso=.'
  )


def features(
  torso: Callable[[chex.Array], chex.Array], world: chex.Array
) -> chex.Array:
  """Calls a torso, and returns its features with the batch last.

  Args:
    torso: of either layout.
    world: [B, ...].

  Returns:
    float32 [F, B].

  Raises:
    ValueError: the torso returned something other than float32 [B, F].
  """
  output = torso(world)
  if getattr(torso, 'batch_last', False):
    return output
  if (
    output.ndim != 2
    or len(output) != len(world)
    or not jnp.issubdtype(output.dtype, jnp.floating)
  ):
    raise ValueError(
      f'The torso returned {output.dtype} {output.shape} for {world.dtype} '
      f'{world.shape}: it must be float32 [B, F], with B = {len(world)}.'
    )
  return output.T


class Identity(hk.Module):
  """Returns vectors as they are: the dense layers read them directly."""

  def __call__(self, vectors: chex.Array) -> chex.Array:
    """Returns float32 [B, D], as given."""
    return vectors
