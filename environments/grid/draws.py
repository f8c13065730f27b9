"""All chance of one step, drawn at once and before the rules use it.

The rules are then plain functions of (state, actions, draws): a slow reference
implementation that is given the same draws must end in the same state.

Letters: N agents, P start cells, R x C the map.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp


class Draws(NamedTuple):
  """Independent uniform words, from one call of the generator a step.

  One word never decides two things in one step. An agent's word ranks it among
  those who want its cell or among those who fire, and nobody does both; a
  cell's word decides about what can grow on that cell. On walls nothing grows:
  the word of the first cell, a corner, decides whether there is new waste.

  Attributes:
    cells: uint32 [R, C].
    agents: uint32 [N].
    starts: uint32 [P].
  """

  cells: chex.Array
  agents: chex.Array
  starts: chex.Array


def draw(
  key: jax.Array, shape: tuple[int, int], num_agents: int, num_starts: int
) -> Draws:
  """Returns the draws of one step, given a key, (R, C), N and P."""
  num_cells = shape[0] * shape[1]
  total = num_cells + num_agents + num_starts
  words = jax.random.bits(key, (total,), jnp.uint32)
  return Draws(
    cells=words[:num_cells].reshape(shape),
    agents=words[num_cells : num_cells + num_agents],
    starts=words[num_cells + num_agents :],
  )


def happens(words: chex.Array, chance: chex.Array) -> chex.Array:
  """Returns bool [...], True with a given probability.

  Args:
    words: uint32 [...], uniform.
    chance: float32 [] or [...], in [0, 1]; 0 never happens, 1 always does.
  """
  # 2**32 itself is too large for a word.
  return (words < (chance * 2.0**32).astype(jnp.uint32)) | (chance >= 1)


def distinct(words: chex.Array) -> chex.Array:
  """Puts each word's index into its low bits, so that no two are equal.

  Args:
    words: uint32 [...], n in total, uniform and independent.

  Returns:
    uint32 [...]. Their order is uniform but for words that are equal in all
    bits above the log2(n) low ones.
  """
  low_bits = (words.size - 1).bit_length()
  index = jnp.arange(words.size, dtype=jnp.uint32).reshape(words.shape)
  return (words >> low_bits << low_bits) | index


def ranks(words: chex.Array) -> chex.Array:
  """Returns int32 [n], a uniform permutation: the largest word has rank 0."""
  values = distinct(words)
  return jnp.sum(values[None, :] > values[:, None], axis=1, dtype=jnp.int32)


def order(ranks: chex.Array) -> chex.Array:
  """Returns int32 [n], the indices in the order of their `ranks`, int32 [n]."""
  return jnp.zeros_like(ranks).at[ranks].set(jnp.arange(ranks.size))
