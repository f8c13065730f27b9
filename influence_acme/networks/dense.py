"""Fully connected layers on a torso's features, the batch last.

Letters: B batch, F features, O outputs of the first layers.
"""

from collections.abc import Sequence

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import checks


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
    checks.integer('num_stacks', num_stacks, 1)
    for size in sizes:
      checks.integer('sizes', size, 1)
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
