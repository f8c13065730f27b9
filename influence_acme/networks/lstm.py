"""An LSTM with input and recurrent parts that can be computed apart.

Counterfactual inputs share one recurrent part.

Letters: B batch, F input features, H hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.networks import products

# By gate: tanh(scale * x) * scale + shift is its activation, for sigmoid(x) is
# (tanh(x / 2) + 1) / 2. One tanh of all gates in a row is faster than four
# functions of their parts.
_SCALE = np.array([0.5, 1.0, 0.5, 0.5], np.float32)
_SHIFT = np.array([0.5, 0.0, 0.5, 0.5], np.float32)
# Added to the forget gate: a new network remembers (Jozefowicz et al., 2015).
_OFFSET = np.array([0.0, 0.0, 1.0, 0.0], np.float32)
# Of exponents, so that no product is 0 * inf: beyond it a gate is open or shut
# for good, unless its two parts are both huge and cancel.
_LIMIT = 80.0


@jax.custom_vjp
def cell(gates: chex.Array, state: hk.LSTMState) -> hk.LSTMState:
  """Takes one step of the LSTM cell (Hochreiter & Schmidhuber, 1997).

  Its gradient is its own: that of JAX keeps every part of every intermediate
  result, and is a third of a learner step.

  Args:
    gates: float32 [..., 4 * H], the sum of the input and recurrent parts, in
      the order input, candidate, forget, output.
    state: hidden and cell, float32 [..., H] each; the hidden units are not
      read.

  Returns:
    The next state; its `hidden` is also the output.
  """
  return _cell_forward(gates, state)[0]


def _cell_forward(gates, state):
  scale, shift, offset = _by_gate(gates.shape[-1], _SCALE, _SHIFT, _OFFSET)
  activations = jnp.tanh(scale * (gates + offset)) * scale + shift
  next_state = _next_state(activations, state)
  return next_state, (activations, state.cell, next_state.cell)


def _cell_backward(saved, gradient):
  activations, cell_before, cell_after = saved
  i, g, f, o = jnp.split(activations, 4, axis=-1)
  squashed = jnp.tanh(cell_after)
  of_cell = gradient.cell + gradient.hidden * o * (1.0 - squashed**2)
  of_activations = [
    of_cell * g,
    of_cell * i,
    of_cell * cell_before,
    gradient.hidden * squashed,
  ]
  scale, shift = _by_gate(activations.shape[-1], _SCALE, _SHIFT)
  # The derivative of tanh(scale * x) * scale + shift.
  slope = scale**2 - (activations - shift) ** 2
  of_gates = jnp.concatenate(of_activations, axis=-1) * slope
  of_state = hk.LSTMState(jnp.zeros_like(cell_before), of_cell * f)
  return of_gates, of_state


cell.defvjp(_cell_forward, _cell_backward)


def cells(
  shared: chex.Array, counterfactual: chex.Array, state: hk.LSTMState
) -> hk.LSTMState:
  """Computes `cell` for each sum of shared and counterfactual gates.

  An activation is 2 scale / (1 + exp(-2 scale x)) + shift - scale, and the
  exponential of a sum is the product of those of its parts: there are few to
  compute, for all the sums.

  Args:
    shared: float32 [B, 4 * H].
    counterfactual: float32 [K, 4 * H].
    state: float32 [B, H] each.

  Returns:
    The next states, float32 [B, K, H] each.
  """
  scale, shift, offset = _by_gate(shared.shape[-1], _SCALE, _SHIFT, _OFFSET)

  def exponential(x):
    return jnp.exp(jnp.clip(-2.0 * scale * x, -_LIMIT, _LIMIT))

  product = exponential(shared + offset)[:, None] * exponential(counterfactual)
  activations = 2.0 * scale / (1.0 + product) + (shift - scale)
  state = jax.tree_util.tree_map(lambda x: x[:, None], state)
  return _next_state(activations, state)


def _by_gate(width: int, *values: np.ndarray) -> list[np.ndarray]:
  """Repeats a value a gate for all of the gate's units."""
  return [np.repeat(x, width // 4) for x in values]


def _next_state(activations: chex.Array, state: hk.LSTMState) -> hk.LSTMState:
  """Applies the gates, float32 [..., 4 * H], to a state, [..., H]."""
  i, g, f, o = jnp.split(activations, 4, axis=-1)
  cell_state = f * state.cell + i * g
  return hk.LSTMState(hidden=o * jnp.tanh(cell_state), cell=cell_state)


class LSTM(hk.RNNCore):
  """A standard LSTM with its gates exposed."""

  def __init__(self, hidden_size: int, name: str = 'lstm'):
    super().__init__(name=name)
    self._hidden_size = hidden_size

  def initial_state(self, batch_size: int | None) -> hk.LSTMState:
    """Returns zeros, float32 [B, H] each; [H] if `batch_size` is None."""
    batch = () if batch_size is None else (batch_size,)
    zeros = jnp.zeros((*batch, self._hidden_size), jnp.float32)
    return hk.LSTMState(hidden=zeros, cell=zeros)

  def weights(self, size: int) -> tuple[chex.Array, chex.Array]:
    """Returns the parameters.

    Args:
      size: F.

    Returns:
      Weights float32 [F + H, 4 * H] of the inputs and then the hidden units,
      and biases float32 [4 * H].
    """
    shape = (size + self._hidden_size, 4 * self._hidden_size)
    # The scale of hk.LSTM.
    init = hk.initializers.TruncatedNormal(1.0 / np.sqrt(shape[0]))
    return (
      hk.get_parameter('w', shape, jnp.float32, init),
      hk.get_parameter('b', shape[1:], jnp.float32, jnp.zeros),
    )

  def gates(self, inputs: chex.Array, state: hk.LSTMState) -> chex.Array:
    """Returns the gates of one step for `cell`, float32 [B, 4 * H]."""
    weights, biases = self.weights(inputs.shape[-1])
    joined = jnp.concatenate([inputs, state.hidden], axis=-1)
    return products.affine(joined, weights, biases)

  def __call__(
    self, inputs: chex.Array, state: hk.LSTMState
  ) -> tuple[chex.Array, hk.LSTMState]:
    """Takes one step.

    Args:
      inputs: float32 [B, F].
      state: float32 [B, H] each.

    Returns:
      The output, float32 [B, H], and the next state.
    """
    state = cell(self.gates(inputs, state), state)
    return state.hidden, state
