"""The LSTM against Haiku's own, and its fast forms against a plain one."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.networks import lstm

B, F, H = 3, 5, 4


def _core(function):
  return hk.without_apply_rng(
    hk.transform(lambda *args: function(lstm.LSTM(H), *args))
  )


def _inputs(seed: int = 0):
  rng = np.random.default_rng(seed)
  inputs = rng.normal(size=(B, F)).astype(np.float32)
  state = hk.LSTMState(*rng.normal(size=(2, B, H)).astype(np.float32))
  return inputs, state


def test_one_step_equals_haikus_lstm():
  inputs, state = _inputs()
  mine = _core(lambda core, x, s: core(x, s))
  params = mine.init(jax.random.PRNGKey(0), inputs, state)
  theirs: Any = hk.without_apply_rng(
    hk.transform(lambda x, s: hk.LSTM(H)(x, s))
  )
  weights = params['lstm']
  their_params = {'lstm/linear': weights}
  output, next_state = mine.apply(params, inputs, state)
  expected, expected_state = theirs.apply(their_params, inputs, state)
  np.testing.assert_allclose(output, expected, atol=1e-6)
  np.testing.assert_allclose(next_state.cell, expected_state.cell, atol=1e-6)


def _plain_cell(gates, state):
  """The cell as it is written in books; JAX finds its gradient."""
  i, g, f, o = jnp.split(gates, 4, axis=-1)
  cell = jax.nn.sigmoid(f + 1.0) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
  return hk.LSTMState(hidden=jax.nn.sigmoid(o) * jnp.tanh(cell), cell=cell)


def test_the_cells_gradient_is_that_of_the_plain_cell():
  rng = np.random.default_rng(1)
  gates = 3 * rng.normal(size=(B, 4 * H)).astype(np.float32)
  state = hk.LSTMState(*rng.normal(size=(2, B, H)).astype(np.float32))
  weights = rng.normal(size=(2, B, H)).astype(np.float32)

  def total(cell, gates, state):
    after = cell(gates, state)
    return jnp.sum(weights[0] * after.hidden + weights[1] * after.cell)

  actual, expected = (
    jax.grad(total, argnums=(1, 2))(cell, gates, state)
    for cell in (lstm.cell, _plain_cell)
  )
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), actual, expected
  )


@pytest.mark.parametrize('size', [1.0, 10.0, 1000.0])
def test_cells_are_the_cell_of_every_sum(size):
  rng = np.random.default_rng(2)
  shared = size * rng.normal(size=(B, 4 * H)).astype(np.float32)
  counterfactual = size * rng.normal(size=(5, 4 * H)).astype(np.float32)
  if size > 10:  # Of opposite ones beyond the limit no sum is known.
    shared, counterfactual = np.abs(shared), np.abs(counterfactual)
  state = hk.LSTMState(*rng.normal(size=(2, B, H)).astype(np.float32))
  actual = jax.jit(lstm.cells)(shared, counterfactual, state)
  gates = shared[:, None] + counterfactual
  expected = _plain_cell(
    gates, jax.tree_util.tree_map(lambda x: x[:, None], state)
  )
  jax.tree_util.tree_map(
    lambda x, y: np.testing.assert_allclose(x, y, atol=2e-6), actual, expected
  )
