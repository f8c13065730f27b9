"""The layers' own gradients, by hand and against JAX's."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.networks import dense, products


@pytest.mark.parametrize('wrap', [lambda f: f, jax.jit], ids=['eager', 'jit'])
def test_a_layers_gradient_by_hand(wrap):
  inputs = jnp.array([[1.0, 2.0], [3.0, 4.0]])
  weights = jnp.array([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]])
  biases = jnp.array([0.5, 0.25, 0.0])
  # The total of row 0's first output and ten times row 1's last one:
  # 1 * 5 + 2 * 8 + 0.5, and 10 * (3 * 7 + 4 * 10).
  chosen = jnp.array([[1.0, 0.0, 0.0], [0.0, 0.0, 10.0]])
  total, gradients = wrap(
    jax.value_and_grad(
      lambda *args: (products.affine(*args) * chosen).sum(), (0, 1, 2)
    )
  )(inputs, weights, biases)
  assert total == 21.5 + 610.0
  np.testing.assert_array_equal(gradients[0], [[5.0, 8.0], [70.0, 100.0]])
  np.testing.assert_array_equal(
    gradients[1], [[1.0, 0.0, 30.0], [2.0, 0.0, 40.0]]
  )
  np.testing.assert_array_equal(gradients[2], [1.0, 0.0, 10.0])


def test_a_layers_gradient_in_a_loop_is_that_of_jax():
  rng = np.random.default_rng(0)
  inputs, weights = rng.normal(size=(3, 4, 5)), rng.normal(size=(5, 5))
  biases = rng.normal(size=5)

  def total(layer, *args):
    inputs, weights, biases = args

    def step(state, x):
      state = jnp.tanh(layer(x + state, weights, biases))
      return state, state

    return (jax.lax.scan(step, jnp.zeros((4, 5)), inputs)[1] ** 2).sum()

  args = [jnp.asarray(x, jnp.float32) for x in (inputs, weights, biases)]
  mine, theirs = (
    jax.jit(jax.grad(lambda *x, f=layer: total(f, *x), (0, 1, 2)))(*args)
    for layer in (products.affine, lambda x, w, b: x @ w + b)
  )
  for actual, expected in zip(mine, theirs, strict=True):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_the_stacks_and_their_gradient_are_those_of_haikus_mlps():
  rng = np.random.default_rng(1)
  features = rng.normal(size=(7, 6)).astype(np.float32)  # [F, B]
  mine: Any = hk.without_apply_rng(
    hk.transform(lambda x: dense.Dense(num_stacks=2, sizes=(4, 3))(x))
  )
  theirs: Any = hk.without_apply_rng(
    hk.transform(
      lambda x: [
        hk.nets.MLP((4, 3), activate_final=True, name=f'mlp_{i}')(x.T)
        for i in range(2)
      ]
    )
  )
  params = mine.init(jax.random.PRNGKey(0), features)

  def rename(params):
    """Returns the parameters as the MLPs have them: each its own half."""
    renamed = {}
    for i in range(2):
      half = slice(4 * i, 4 * i + 4)
      first = {k: v[..., half] for k, v in params['dense'].items()}
      renamed[f'mlp_{i}/~/linear_0'] = first
      renamed[f'mlp_{i}/~/linear_1'] = params[f'dense/stack_{i}/~/linear_0']
    return renamed

  def total(outputs):
    return sum((i + 1) * (x**2).sum() for i, x in enumerate(outputs))

  for x, y in zip(
    mine.apply(params, features),
    theirs.apply(rename(params), features),
    strict=True,
  ):
    np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
  actual, expected = (
    jax.grad(f, (0, 1))(params, features)
    for f in (
      lambda p, x: total(mine.apply(p, x)),
      lambda p, x: total(theirs.apply(rename(p), x)),
    )
  )
  for x, y in zip(
    *map(jax.tree_util.tree_leaves, (actual, expected)), strict=True
  ):
    np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
