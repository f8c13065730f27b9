"""The convolution, in both of its forms, against Haiku's own."""

from typing import Any

import haiku as hk
import jax
import numpy as np
import pytest

from influence_acme.networks import pixel_conv


def _haikus(torso):
  """Returns a transform of a function of Haiku modules."""
  return hk.without_apply_rng(hk.transform(torso))


def _both(shifted_planes, channels):
  """Returns our convolution, Haiku's, and our parameters in its shapes."""
  mine: Any = _haikus(
    lambda x: pixel_conv.PixelConv(shifted_planes=shifted_planes)(x)
  )
  theirs: Any = _haikus(
    lambda x: jax.nn.relu(hk.Conv2D(6, 3, padding='VALID')(x / 255.0))
  )

  def rename(params):
    kernel = params['w'].reshape(3, 3, channels, 6)
    return {'conv2_d': {'w': kernel, 'b': params['b']}}

  return mine, theirs, rename


@pytest.mark.parametrize('shifted_planes', [True, False])
@pytest.mark.parametrize('view', [(15, 15, 3), (3, 4, 1), (5, 3, 4)])
def test_the_features_equal_haikus_convolution(shifted_planes, view):
  random = np.random.default_rng(0)
  pixels = random.integers(0, 256, (8, *view), dtype=np.uint8)
  mine, theirs, rename = _both(shifted_planes, view[-1])
  params = mine.init(jax.random.PRNGKey(0), pixels)['pixel_conv']
  params = {**params, 'b': params['b'] + 0.1}
  features = mine.apply({'pixel_conv': params}, pixels)
  expected = theirs.apply(rename(params), pixels)
  # The paper's is 13 x 13 x 6 for a view of 15 x 15; the batch is last.
  size = (view[0] - 2) * (view[1] - 2) * 6
  assert features.shape == (size, 8)
  np.testing.assert_allclose(features.T, expected.reshape(8, -1), atol=1e-5)


@pytest.mark.parametrize(
  'pixels',
  [
    np.zeros((1, 15, 15, 3), np.float32),
    np.zeros((1, 2, 15, 3), np.uint8),
    np.zeros((1, 15), np.float32),
  ],
)
def test_bad_pixels_are_refused(pixels):
  conv = hk.transform(lambda x: pixel_conv.PixelConv()(x))
  with pytest.raises(ValueError, match='uint8 views .* not .*15'):
    conv.init(jax.random.PRNGKey(0), pixels)


@pytest.mark.parametrize('shifted_planes', [True, False])
def test_the_convolutions_gradient_is_that_of_haikus(shifted_planes):
  rng = np.random.default_rng(1)
  pixels = rng.integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)
  weights = rng.normal(size=(4, 4 * 3 * 6)).astype(np.float32)
  mine, theirs, rename = _both(shifted_planes, 3)
  params = mine.init(jax.random.PRNGKey(0), pixels)['pixel_conv']

  def my_total(params):
    return (weights * mine.apply({'pixel_conv': params}, pixels).T).sum()

  def their_total(params):
    features = theirs.apply(rename(params), pixels)
    return (weights * features.reshape(4, -1)).sum()

  actual, expected = jax.grad(my_total)(params), jax.grad(their_total)(params)
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4),
    actual,
    expected,
  )


def test_both_forms_of_the_gradient_are_equal_to_sums_over_positions():
  rng = np.random.default_rng(2)
  values = rng.normal(size=(5, 6, 2, 3)).astype(np.float32)
  gradient = rng.normal(size=(3, 4, 7, 3)).astype(np.float32)
  kernel = np.zeros((3, 3, 2, 7))
  for i, j, h, w in np.ndindex(3, 3, 3, 4):
    kernel[i, j] += values[h + i, w + j] @ gradient[h, w].T
  for form in pixel_conv._by_sums, pixel_conv._by_product:
    of_kernel, of_bias = form(values, gradient)
    np.testing.assert_allclose(of_kernel, kernel, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
      of_bias, gradient.sum((0, 1, 3)), rtol=1e-5, atol=1e-5
    )
