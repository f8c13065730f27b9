"""The torso against Haiku's own convolution."""

from typing import Any

import haiku as hk
import jax
import numpy as np
import pytest

from influence_acme.networks import torso


def test_pixel_conv_equals_haikus_convolution():
  pixels = np.random.default_rng(0).integers(
    0, 256, (8, 15, 15, 3), dtype=np.uint8
  )
  mine: Any = hk.without_apply_rng(hk.transform(lambda x: torso.PixelConv()(x)))
  theirs: Any = hk.without_apply_rng(
    hk.transform(lambda x: hk.Conv2D(6, 3, padding='VALID')(x))
  )
  params = mine.init(jax.random.PRNGKey(0), pixels)
  kernel = params['pixel_conv']
  their_params = {
    'conv2_d': {'w': kernel['w'].reshape(3, 3, 3, 6), 'b': kernel['b'] + 0.1}
  }
  params = {'pixel_conv': {'w': kernel['w'], 'b': kernel['b'] + 0.1}}
  features = mine.apply(params, pixels)
  expected = jax.nn.relu(theirs.apply(their_params, pixels / 255.0))
  # The paper's 13 x 13 x 6; the batch is last.
  assert features.shape == (1014, 8)
  np.testing.assert_allclose(features.T, expected.reshape(8, 1014), atol=1e-5)


@pytest.mark.parametrize(
  'pixels',
  [np.zeros((1, 15, 15, 3), np.float32), np.zeros((1, 2, 15, 3), np.uint8)],
)
def test_bad_pixels_are_refused(pixels):
  conv = hk.transform(lambda x: torso.PixelConv()(x))
  with pytest.raises(ValueError, match='uint8 views'):
    conv.init(jax.random.PRNGKey(0), pixels)


def test_the_convolutions_gradient_is_that_of_haikus():
  rng = np.random.default_rng(1)
  pixels = rng.integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)
  weights = rng.normal(size=(4, 4 * 3 * 6)).astype(np.float32)
  mine: Any = hk.without_apply_rng(hk.transform(lambda x: torso.PixelConv()(x)))
  theirs: Any = hk.without_apply_rng(
    hk.transform(lambda x: jax.nn.relu(hk.Conv2D(6, 3, padding='VALID')(x)))
  )
  params = mine.init(jax.random.PRNGKey(0), pixels)['pixel_conv']

  def my_total(params):
    return (weights * mine.apply({'pixel_conv': params}, pixels).T).sum()

  def their_total(params):
    kernel = params['w'].reshape(3, 3, 3, 6)
    features = theirs.apply(
      {'conv2_d': {'w': kernel, 'b': params['b']}}, pixels / 255.0
    )
    return (weights * features.reshape(4, -1)).sum()

  actual, expected = jax.grad(my_total)(params), jax.grad(their_total)(params)
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4),
    actual,
    expected,
  )
