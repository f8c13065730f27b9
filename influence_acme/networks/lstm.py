"""An LSTM whose input part and recurrent part can be computed apart.

The input part of all steps is one large matrix product outside of the loop
over time, and counterfactual inputs share one recurrent part.

Letters: T time, B batch, F input features, H hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp


def cell(gates: chex.Array, state: hk.LSTMState) -> hk.LSTMState:
  """One step of the LSTM cell (Hochreiter & Schmidhuber, 1997).

  Args:
    gates: float32 [..., 4 * H], the sum of the input and recurrent parts, in
      the order input, candidate, forget, output.
    state: hidden and cell, float32 [..., H] each, or of a shape that
      broadcasts to it.

  Returns:
    The next state; its `hidden` is also the output.
  """
  input_gate, candidate, forget_gate, output_gate = jnp.split(gates, 4, axis=-1)
  # The + 1 lets a new network remember (Jozefowicz et al., 2015).
  kept = jax.nn.sigmoid(forget_gate + 1.0) * state.cell
  cell_state = kept + jax.nn.sigmoid(input_gate) * jnp.tanh(candidate)
  hidden = jax.nn.sigmoid(output_gate) * jnp.tanh(cell_state)
  return hk.LSTMState(hidden=hidden, cell=cell_state)


class LSTM(hk.RNNCore):
  """A standard LSTM with its two matrix products exposed."""

  def __init__(self, hidden_size: int, name: str = 'lstm'):
    super().__init__(name=name)
    self._hidden_size = hidden_size

  def initial_state(self, batch_size: int | None) -> hk.LSTMState:
    """Returns zeros, float32 [B, H] each; [H] if `batch_size` is None."""
    batch = () if batch_size is None else (batch_size,)
    zeros = jnp.zeros((*batch, self._hidden_size), jnp.float32)
    return hk.LSTMState(hidden=zeros, cell=zeros)

  def input_weights(self, size: int) -> tuple[chex.Array, chex.Array]:
    """Returns the weights [F, 4 * H] and biases [4 * H] of `size` inputs."""
    # The scale that hk.LSTM has for its inputs and hidden units together.
    init = hk.initializers.TruncatedNormal(
      1.0 / jnp.sqrt(size + self._hidden_size)
    )
    width = 4 * self._hidden_size
    return (
      hk.get_parameter('w_i', (size, width), jnp.float32, init),
      hk.get_parameter('b', (width,), jnp.float32, jnp.zeros),
    )

  def recurrent_weights(self, size: int) -> chex.Array:
    """Returns the weights [H, 4 * H] of the hidden units."""
    init = hk.initializers.TruncatedNormal(
      1.0 / jnp.sqrt(size + self._hidden_size)
    )
    shape = (self._hidden_size, 4 * self._hidden_size)
    return hk.get_parameter('w_h', shape, jnp.float32, init)

  def __call__(
    self, inputs: chex.Array, state: hk.LSTMState
  ) -> tuple[chex.Array, hk.LSTMState]:
    """One step.

    Args:
      inputs: float32 [B, F].
      state: float32 [B, H] each.

    Returns:
      The output, float32 [B, H], and the next state.
    """
    weights, biases = self.input_weights(inputs.shape[-1])
    recurrent = self.recurrent_weights(inputs.shape[-1])
    gates = inputs @ weights + biases + state.hidden @ recurrent
    state = cell(gates, state)
    return state.hidden, state

  def unroll(
    self,
    inputs: chex.Array,
    start_of_episode: chex.Array,
    state: hk.LSTMState,
  ) -> chex.Array:
    """All steps of a sequence; the state is zeroed where an episode starts.

    Args:
      inputs: float32 [T, B, F].
      start_of_episode: bool [T, B]; True resets the state before that step.
      state: float32 [B, H] each, before the first step.

    Returns:
      The outputs, float32 [T, B, H].
    """
    weights, biases = self.input_weights(inputs.shape[-1])
    recurrent = self.recurrent_weights(inputs.shape[-1])
    input_gates = inputs @ weights + biases  # [T, B, 4 * H]

    def step(state, xs):
      gates, start = xs
      keep = 1.0 - start[:, None].astype(jnp.float32)
      state = jax.tree_util.tree_map(lambda x: x * keep, state)
      state = cell(gates + state.hidden @ recurrent, state)
      return state, state.hidden

    _, outputs = jax.lax.scan(step, state, (input_gates, start_of_episode))
    return outputs
