"""The paper's torso: one small convolution, then two fully connected layers.

Letters: B batch (any number of leading axes), H x W the view, C its channels,
O the channels of the convolution.
"""

from collections.abc import Sequence

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np


class PixelConv(hk.Module):
  """A valid 3x3 convolution of stride 1 over uint8 pixels, and a ReLU.

  Rows of the view are multiplied by banded matrices that hold the kernel once
  for each place where it fits into a row:

      output row r  =  sum over i = 0, 1, 2 of  view row (r + i) @ band_i

  Four fifths of a band are zeros that are multiplied for nothing, and it is
  still several times faster on a CPU than anything that looks cleverer: agents'
  parameters are stacked and this module is vmapped over them, which makes a
  grouped convolution of a convolution, and products with 27 x 6 kernels are
  too thin for a matrix unit; nine shifted copies of the view do not fit into a
  cache.
  """

  def __init__(self, channels: int = 6, name: str = 'pixel_conv'):
    super().__init__(name=name)
    self._channels = channels

  def __call__(self, pixels: chex.Array) -> chex.Array:
    """Returns flat features.

    Args:
      pixels: uint8 [B..., H, W, C], in 0..255; H and W at least 3.

    Returns:
      float32 [B..., (H - 2) * (W - 2) * O].

    Raises:
      ValueError: the pixels are not uint8 or the view is too small.
    """
    height, width, channels = pixels.shape[-3:]
    if pixels.dtype != jnp.uint8 or min(height, width) < 3:
      raise ValueError(
        'The torso takes uint8 views [..., H, W, C] of at least 3 x 3 pixels, '
        f'not {pixels.dtype} {pixels.shape}.'
      )
    size = 9 * channels
    init = hk.initializers.TruncatedNormal(1.0 / np.sqrt(size))
    kernel = hk.get_parameter('w', (size, self._channels), jnp.float32, init)
    bias = hk.get_parameter('b', (self._channels,), jnp.float32, jnp.zeros)

    # Scaling the kernel is cheaper than scaling the pixels.
    bands = _bands(kernel / 255.0, width, channels)
    biases = bias @ np.tile(np.eye(self._channels, dtype=np.float32), width - 2)
    rows = pixels.reshape((-1, height, width * channels))
    features = _convolve(rows, bands, biases)
    return features.reshape(pixels.shape[:-3] + (-1,))


def _bands(kernel: chex.Array, width: int, channels: int) -> chex.Array:
  """Returns float32 [3, W * C, (W - 2) * O] of a kernel [9 * C, O].

  It is one product with a constant, and so is its gradient.
  """
  size = kernel.shape[1]
  # Output column x reads input column x + j through column j of the kernel:
  # [j, c, o] to [w, c, x, o].
  place = np.einsum(
    'jwx,cd,op->jcowdxp',
    [np.eye(width, width - 2, -j) for j in range(3)],
    np.eye(channels),
    np.eye(size),
  ).reshape(3 * channels * size, -1)
  bands = kernel.reshape(3, -1) @ place.astype(np.float32)
  return bands.reshape(3, width * channels, -1)


@jax.custom_vjp
def _convolve(
  rows: chex.Array, bands: chex.Array, biases: chex.Array
) -> chex.Array:
  """Slides the bands down the rows of a view, and applies a ReLU.

  Its gradient is its own, since JAX would keep a copy of the pixels as floats
  for each of the three products, and the sum of these twice.

  Args:
    rows: uint8 [B, H, W * C]; nothing is differentiated with respect to it.
    bands: float32 [3, W * C, (W - 2) * O].
    biases: float32 [(W - 2) * O].

  Returns:
    float32 [B, H - 2, (W - 2) * O].
  """
  products = [x @ band for x, band in zip(_shifted(rows), bands, strict=True)]
  return jax.nn.relu(sum(products) + biases)


def _convolve_forward(rows, bands, biases):
  features = _convolve(rows, bands, biases)
  return features, (rows, features)


def _convolve_backward(saved, gradient):
  rows, features = saved
  gradient = jnp.where(features > 0, gradient, 0)
  gradient = gradient.reshape(-1, gradient.shape[-1])
  # Of flat arrays: a product over two axes would be a transposed copy first.
  bands = [x.reshape(-1, x.shape[-1]).T @ gradient for x in _shifted(rows)]
  return None, jnp.stack(bands), gradient.sum(0)


_convolve.defvjp(_convolve_forward, _convolve_backward)


def _shifted(rows: chex.Array) -> list[chex.Array]:
  """Returns the rows that each band meets, float32 [B, H - 2, W * C] each."""
  height = rows.shape[1]
  rows = rows.astype(jnp.float32)
  return [rows[:, i : height - 2 + i] for i in range(3)]


class Dense(hk.Module):
  """Stacks of fully connected layers over the same features.

  The stacks share no weights, but the first layers of all are one matrix
  product, which is faster. A ReLU follows every layer.
  """

  def __init__(
    self, num_stacks: int, sizes: Sequence[int] = (32, 32), name: str = 'dense'
  ):
    """Makes the layers.

    Args:
      num_stacks: how many outputs there are.
      sizes: of the layers of each stack.
      name: of the Haiku module.
    """
    super().__init__(name=name)
    self._num_stacks = num_stacks
    self._sizes = sizes

  def __call__(self, features: chex.Array) -> list[chex.Array]:
    """Maps float32 [B..., F] to one float32 [B..., sizes[-1]] a stack."""
    first, *others = self._sizes
    joined = hk.Linear(self._num_stacks * first, name='first')(features)
    return [
      hk.nets.MLP(others, activate_final=True, name=f'stack_{i}')(part)
      for i, part in enumerate(
        jnp.split(jax.nn.relu(joined), self._num_stacks, axis=-1)
      )
    ]
