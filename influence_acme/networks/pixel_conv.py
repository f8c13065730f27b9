"""The paper's convolution, in a form for CPUs and one for accelerators.

Letters: B batch, H x W the view, C its channels, O the channels of the
convolution, F features.
"""

import operator
from collections.abc import Sequence

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from numpy import typing as npt

from influence_acme import checks, xla_threads


def is_view(shape: Sequence[int], dtype: npt.DTypeLike) -> bool:
  """Returns whether `PixelConv` takes batches of such views."""
  return len(shape) == 3 and np.dtype(dtype) == np.uint8 and min(shape[:2]) >= 3


class PixelConv(hk.Module):
  """A valid 3x3 convolution of stride 1 over uint8 pixels, and a ReLU.

  It has two forms of the same parameters and outputs.

  On a CPU the views of a batch lie side by side in the last axis, so that
  shifted planes of all views are multiplied by a number of the kernel and added
  up, as many views at once as the machine's vectors hold. There nothing that
  looks cleverer is as fast: products with matrices of 27 x 6 are too thin,
  banded matrices are mostly zeros, and agents' parameters are stacked and this
  module is vmapped over them, which makes a grouped convolution of a
  convolution. A step's planes stay in the cache, inside the scan over time.

  On an accelerator it is XLA's convolution, over all steps before the scan: the
  gradient of a convolution inside a scan is many times slower.
  """

  batch_last = True

  def __init__(
    self,
    channels: int = 6,
    *,
    shifted_planes: bool | None = None,
    name: str = 'pixel_conv',
  ):
    """Makes the convolution.

    Args:
      channels: O.
      shifted_planes: whether to compute it from shifted planes; None: on a CPU.
      name: of the Haiku module.
    """
    super().__init__(name=name)
    self._channels = checks.integer('channels', channels, 1)
    if shifted_planes is None:
      shifted_planes = jax.default_backend() == 'cpu'
    self.in_scan = shifted_planes

  def __call__(self, pixels: chex.Array) -> chex.Array:
    """Returns flat features, the batch last.

    Args:
      pixels: uint8 [B, H, W, C], in 0..255; H and W at least 3.

    Returns:
      float32 [F, B], F = (H - 2) * (W - 2) * O.

    Raises:
      ValueError: the pixels are not uint8 or the view is too small.
    """
    if not is_view(pixels.shape[1:], pixels.dtype):
      raise ValueError(
        'PixelConv takes uint8 views [B, H, W, C] of at least 3 x 3 pixels, '
        f'not {pixels.dtype} {pixels.shape}.'
      )
    height, width, channels = pixels.shape[1:]
    size = 9 * channels
    init = hk.initializers.TruncatedNormal(1.0 / np.sqrt(size))
    kernel = hk.get_parameter('w', (size, self._channels), jnp.float32, init)
    bias = hk.get_parameter('b', (self._channels,), jnp.float32, jnp.zeros)

    # Scaling the kernel is cheaper than scaling the pixels.
    kernel = kernel.reshape((3, 3, channels, -1)) / 255.0
    if not self.in_scan:
      return _convolve_by_xla(pixels, kernel, bias)
    # Pixels turn as one long axis, faster than as three.
    planes = pixels.reshape((-1, height * width * channels)).T
    planes = planes.reshape((height, width, channels, -1))
    return _convolve(planes, kernel, bias)


def _convolve_by_xla(
  pixels: chex.Array, kernel: chex.Array, bias: chex.Array
) -> chex.Array:
  """Computes `_convolve` by XLA's own convolution.

  Args:
    pixels: uint8 [B, H, W, C].
    kernel: float32 [3, 3, C, O].
    bias: float32 [O].

  Returns:
    float32 [(H - 2) * (W - 2) * O, B].
  """
  convolved = jax.lax.conv_general_dilated(
    pixels.astype(jnp.float32),
    kernel,
    window_strides=(1, 1),
    padding='VALID',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )
  return jax.nn.relu(convolved + bias).reshape((len(pixels), -1)).T


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
  batch = planes.shape[-1]
  values = planes.astype(jnp.float32)
  features = bias[:, None]
  # Slices of `lax`: those of indices take far longer to trace.
  columns = kernel.reshape((-1, len(bias), 1))
  for n, (i, j, c) in enumerate(np.ndindex(kernel.shape[:3])):
    shifted = jax.lax.slice(
      values, (i, j, c, 0), (height + i, width + j, c + 1, batch)
    )
    column = jax.lax.index_in_dim(columns, n, keepdims=False)
    features = features + shifted * column
  return jax.nn.relu(features).reshape(-1, batch)


def _convolve_forward(planes, kernel, bias):
  features = _convolve(planes, kernel, bias)
  return features, (planes, features)


def _convolve_backward(saved, gradient):
  planes, features = saved
  height, width = planes.shape[0] - 2, planes.shape[1] - 2
  gradient = jnp.where(features > 0, gradient, 0)
  gradient = gradient.reshape((height, width, -1, gradient.shape[-1]))
  backward = _by_sums if xla_threads.before_thunks() else _by_product
  return None, *backward(planes.astype(jnp.float32), gradient)


def _by_product(
  values: chex.Array, gradient: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Computes gradients in one product over positions and views.

  Args:
    values: float32 [H, W, C, B].
    gradient: float32 [H - 2, W - 2, O, B], of the convolution.

  Returns:
    Gradients of the kernel, float32 [3, 3, C, O], and of the bias, [O].
  """
  height, width, _, batch = gradient.shape
  values = values.transpose((2, 0, 1, 3))
  channels = len(values)
  shifted = [
    jax.lax.slice(
      values, (0, i, j, 0), (channels, height + i, width + j, batch)
    )
    for i, j in np.ndindex(3, 3)
  ]
  ones = jnp.ones((1, height, width, batch))  # The plane of the bias.
  rows = jnp.concatenate([*shifted, ones]).reshape((9 * channels + 1, -1))
  columns = gradient.transpose((2, 0, 1, 3)).reshape((-1, rows.shape[1]))
  of_all = (columns @ rows.T).T
  return of_all[:-1].reshape((3, 3, channels, -1)), of_all[-1]


def _by_sums(
  values: chex.Array, gradient: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Computes `_by_product` in sums of shifted planes.

  XLA of JAX 0.4.23 makes loops of these that are faster than the thin product.
  """
  height, width = gradient.shape[:2]
  columns = [
    jax.lax.index_in_dim(gradient, x, 1, keepdims=False)[:, None]
    for x in range(width)
  ]

  def of_row(i):
    """Returns the gradient of kernel[i] by view, [3, C, O, B]."""
    rows = jax.lax.slice_in_dim(values, i, height + i)
    shifted = [
      jax.lax.index_in_dim(rows, x, 1, keepdims=False)[:, :, None]
      for x in range(width + 2)
    ]
    return jnp.stack(
      [sum(map(operator.mul, shifted[j:], columns)).sum(0) for j in range(3)]
    )

  of_kernel = jnp.stack([of_row(i) for i in range(3)])
  return of_kernel.sum(-1), gradient.sum((0, 1, 3))


_convolve.defvjp(_convolve_forward, _convolve_backward)
