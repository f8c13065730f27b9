"""The LSTM against Haiku's own, and its unroll against its steps."""

from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.networks import lstm

T, B, F, H = 7, 3, 5, 4


def _core(function):
  return hk.without_apply_rng(
    hk.transform(lambda *args: function(lstm.LSTM(H), *args))
  )


def _inputs(seed: int = 0):
  rng = np.random.default_rng(seed)
  inputs = rng.normal(size=(T, B, F)).astype(np.float32)
  start = rng.random((T, B)) < 0.3
  state = hk.LSTMState(*rng.normal(size=(2, B, H)).astype(np.float32))
  return inputs, start, state


def test_one_step_equals_haikus_lstm():
  inputs, _, state = _inputs()
  mine = _core(lambda core, x, s: core(x, s))
  params = mine.init(jax.random.PRNGKey(0), inputs[0], state)
  theirs: Any = hk.without_apply_rng(
    hk.transform(lambda x, s: hk.LSTM(H)(x, s))
  )
  weights = params['lstm']
  joined = jnp.concatenate([weights['w_i'], weights['w_h']])
  their_params = {'lstm/linear': {'w': joined, 'b': weights['b']}}
  output, next_state = mine.apply(params, inputs[0], state)
  expected, expected_state = theirs.apply(their_params, inputs[0], state)
  np.testing.assert_allclose(output, expected, atol=1e-6)
  np.testing.assert_allclose(next_state.cell, expected_state.cell, atol=1e-6)


def test_unroll_equals_steps_with_resets():
  inputs, start, state = _inputs()
  step = _core(lambda core, x, s: core(x, s))
  unroll = _core(lambda core, *args: core.unroll(*args))
  params = step.init(jax.random.PRNGKey(0), inputs[0], state)
  outputs = jax.jit(unroll.apply)(params, inputs, start, state)
  for t in range(T):
    keep = 1.0 - start[t][:, None]
    state = jax.tree_util.tree_map(lambda x, keep=keep: x * keep, state)
    output, state = step.apply(params, inputs[t], state)
    np.testing.assert_allclose(outputs[t], output, atol=1e-5)


def test_a_reset_forgets_what_was_before():
  inputs, _, state = _inputs()
  start = np.zeros((T, B), bool)
  start[3] = True
  unroll = _core(lambda core, *args: core.unroll(*args))
  params = unroll.init(jax.random.PRNGKey(0), inputs, start, state)
  outputs = unroll.apply(params, inputs, start, state)
  changed = inputs.copy()
  changed[:3] += 1.0
  others = unroll.apply(params, changed, start, state)
  assert not np.allclose(outputs[2], others[2])
  np.testing.assert_array_equal(outputs[3:], others[3:])
