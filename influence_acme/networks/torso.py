"""The paper's torso: one small convolution, then two fully connected layers.

Between the two the batch is the last axis: see `PixelConv`.

Letters: B batch, H x W the view, C its channels, O the channels of the
convolution, F features.
"""

from collections.abc import Sequence

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np


class PixelConv(hk.Module):
  """A valid 3x3 convolution of stride 1 over uint8 pixels, and a ReLU.

  The views of a batch lie side by side in the last axis, so that shifted planes
  of all views are multiplied by a number of the kernel and added up, as many
  views at once as the machine's vectors hold. On a CPU nothing that looks
  cleverer is as fast: products with matrices of 27 x 6 are too thin, banded
  matrices are mostly zeros, and agents' parameters are stacked and this module
  is vmapped over them, which makes a grouped convolution of a convolution.
  """

  def __init__(self, channels: int = 6, name: str = 'pixel_conv'):
    super().__init__(name=name)
    self._channels = channels

  def __call__(self, pixels: chex.Array) -> chex.Array:
    """Returns flat features, the batch last.

    Args:
      pixels: uint8 [B, H, W, C], in 0..255; H and W at least 3.

    Returns:
      float32 [F, B], F = (H - 2) * (W - 2) * O.

    Raises:
      ValueError: the pixels are not uint8 or the view is too small.
    """
    height, width, channels = pixels.shape[1:]
    if pixels.dtype != jnp.uint8 or min(height, width) < 3:
      raise ValueError(
        'The torso takes uint8 views [B, H, W, C] of at least 3 x 3 pixels, '
        f'not {pixels.dtype} {pixels.shape}.'
      )
    size = 9 * channels
    init = hk.initializers.TruncatedNormal(1.0 / np.sqrt(size))
    kernel = hk.get_parameter('w', (size, self._channels), jnp.float32, init)
    bias = hk.get_parameter('b', (self._channels,), jnp.float32, jnp.zeros)

    # Scaling the kernel is cheaper than scaling the pixels.
    kernel = kernel.reshape((3, 3, channels, -1)) / 255.0
    # Pixels turn as one long axis, faster than as three.
    planes = pixels.reshape((-1, height * width * channels)).T
    planes = planes.reshape((height, width, channels, -1))
    return _convolve(planes, kernel, bias)


@jax.custom_vjp
def _convolve(
  planes: chex.Array, kernel: chex.Array, bias: chex.Array
) -> chex.Array:
  """Slides a kernel over views, and applies a ReLU.

  Its gradient is its own: JAX would keep a shifted copy of the planes for each
  number of the kernel.

  Args:
    planes: uint8 [H, W, C, B]; nothing is differentiated with respect to it.
    kernel: float32 [3, 3, C, O].
    bias: float32 [O].

  Returns:
    float32 [(H - 2) * (W - 2) * O, B].
  """
  height, width = planes.shape[0] - 2, planes.shape[1] - 2
  values = planes.astype(jnp.float32)
  features = bias[:, None]
  for i, j, c in np.ndindex(kernel.shape[:3]):
    shifted = values[i : height + i, j : width + j, c, None]
    features = features + shifted * kernel[i, j, c, :, None]
  return jax.nn.relu(features).reshape(-1, features.shape[-1])


def _convolve_forward(planes, kernel, bias):
  features = _convolve(planes, kernel, bias)
  return features, (planes, features)


def _convolve_backward(saved, gradient):
  planes, features = saved
  values = planes.astype(jnp.float32)
  height, width = planes.shape[0] - 2, planes.shape[1] - 2
  gradient = jnp.where(features > 0, gradient, 0)
  gradient = gradient.reshape((height, width, -1, gradient.shape[-1]))

  def of_shift(i, j):
    """Returns the gradient of kernel[i, j] by view, [C, O, B]."""
    rows = values[i : height + i, :, :, None]
    columns = (rows[:, j + x] * gradient[:, x, None] for x in range(width))
    return sum(columns).sum(0)

  of_kernel = [jnp.stack([of_shift(i, j) for j in range(3)]) for i in range(3)]
  return None, jnp.stack(of_kernel).sum(-1), gradient.sum((0, 1, 3))


_convolve.defvjp(_convolve_forward, _convolve_backward)


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
    """Returns the last layers' outputs.

    Args:
      features: float32 [F, B].

    Returns:
      float32 [B, sizes[-1]] for each stack.
    """
    first, *others = self._sizes
    shape = (features.shape[0], self._num_stacks * first)
    init = hk.initializers.TruncatedNormal(1.0 / np.sqrt(shape[0]))
    weights = hk.get_parameter('w', shape, jnp.float32, init)
    biases = hk.get_parameter('b', shape[1:], jnp.float32, jnp.zeros)
    joined = _first_layer(features, weights, biases)
    return [
      hk.nets.MLP(others, activate_final=True, name=f'stack_{i}')(part)
      for i, part in enumerate(jnp.split(joined, self._num_stacks, axis=-1))
    ]


@jax.custom_vjp
def _first_layer(
  features: chex.Array, weights: chex.Array, biases: chex.Array
) -> chex.Array:
  """A fully connected layer, and a ReLU, that turns the batch to the front.

  Its gradient is its own: no product has a transposed matrix, see `products`.

  Args:
    features: float32 [F, B].
    weights: float32 [F, O].
    biases: float32 [O].

  Returns:
    float32 [B, O].
  """
  return _first_layer_forward(features, weights, biases)[0]


def _first_layer_forward(features, weights, biases):
  outputs = jax.nn.relu(weights.T @ features + biases[:, None])
  return outputs.T, (features, weights, outputs)


def _first_layer_backward(saved, gradient):
  features, weights, outputs = saved
  by_output = jnp.where(outputs > 0, gradient.T, 0)  # [O, B]
  by_view = jnp.where(outputs.T > 0, gradient, 0)  # The same, [B, O].
  return weights @ by_output, features @ by_view, by_output.sum(-1)


_first_layer.defvjp(_first_layer_forward, _first_layer_backward)
