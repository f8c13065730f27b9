"""Draws all random numbers of one step at once, before the rules use them.

The rules are then plain functions of (state, actions, draws): a slow reference
implementation that is given the same draws must end in the same state.

Letters: N agents, P start cells, R x C the map.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp


class Draws(NamedTuple):
  """Holds independent uniform words, from one call of the generator a step.

  One word never decides two events in one step. An agent's word ranks it among
  those that want its cell or among those that fire, and no agent does both; a
  cell's word decides on growth on that cell. Nothing grows on walls: the word
  of the first cell, a corner, decides on new waste.

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
  """Draws the words of one step, given a key, (R, C), N and P."""
  num_cells = shape[0] * shape[1]
  total = num_cells + num_agents + num_starts
  words = jax.random.bits(key, (total,), jnp.uint32)
  return Draws(
    cells=words[:num_cells].reshape(shape),
    agents=words[num_cells : num_cells + num_agents],
    starts=words[num_cells + num_agents :],
  )


def happens(words: chex.Array, chance: chex.Array) -> chex.Array:
  """Draws events of a given probability, bool [...].

  Args:
    words: uint32 [...], uniform.
    chance: float32 [] or [...], in [0, 1]; 0 is never, 1 is always True.
  """
  # 2**32 itself is too large for a word.
  return (words < (chance * 2.0**32).astype(jnp.uint32)) | (chance >= 1)


def distinct(words: chex.Array) -> chex.Array:
  """Writes each word's index into its low bits, so that no two are equal.

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
