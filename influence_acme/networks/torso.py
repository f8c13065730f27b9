"""The paper's torso: one small convolution, then two fully connected layers.

Letters: B batch (any number of leading axes), H x W the view, C its channels.
"""

from collections.abc import Sequence

import chex
import haiku as hk
import jax
import jax.numpy as jnp


class PixelConv(hk.Module):
  """A valid 3x3 convolution of stride 1 over uint8 pixels, and a ReLU.

  It is written as one matrix product over the nine shifted views. Agents'
  parameters are stacked and this module is vmapped over them; XLA would turn
  a vmapped convolution into a grouped one, which is slow on a CPU, while a
  vmapped matrix product stays a (batched) matrix product.
  """

  def __init__(self, channels: int = 6, name: str = 'pixel_conv'):
    super().__init__(name=name)
    self._channels = channels

  def __call__(self, pixels: chex.Array) -> chex.Array:
    """Returns flat features.

    Args:
      pixels: uint8 [B..., H, W, C], in 0..255; H and W at least 3.

    Returns:
      float32 [B..., (H - 2) * (W - 2) * channels].

    Raises:
      ValueError: the pixels are not uint8 or the view is too small.
    """
    height, width = pixels.shape[-3:-1]
    if pixels.dtype != jnp.uint8 or min(height, width) < 3:
      raise ValueError(
        'The torso takes uint8 views [..., H, W, C] of at least 3 x 3 pixels, '
        f'not {pixels.dtype} {pixels.shape}.'
      )
    scaled = pixels.astype(jnp.float32) / 255.0
    patches = jnp.concatenate(
      [
        scaled[..., i : height - 2 + i, j : width - 2 + j, :]
        for i in range(3)
        for j in range(3)
      ],
      axis=-1,
    )  # [B..., H - 2, W - 2, 9 * C]
    features = jax.nn.relu(hk.Linear(self._channels, name='kernel')(patches))
    return features.reshape(pixels.shape[:-3] + (-1,))


class Dense(hk.Module):
  """Fully connected layers, each with a ReLU after it."""

  def __init__(self, sizes: Sequence[int] = (32, 32), name: str = 'dense'):
    super().__init__(name=name)
    self._sizes = sizes

  def __call__(self, features: chex.Array) -> chex.Array:
    """Maps float32 [B..., F] to float32 [B..., sizes[-1]]."""
    return hk.nets.MLP(self._sizes, activate_final=True, name='mlp')(features)
