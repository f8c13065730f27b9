"""Cleanup: apples grow on one bank only while the river at the other is clean.

The rules in words are on the environment's card, in README.md. Letters: N
agents, R x C = 25 x 18 the map.
"""

import dataclasses
from typing import ClassVar, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments.grid import (
  beams,
  colours,
  foraging,
  levels,
  moves,
  world,
)
from influence_acme.environments.grid import draws as draws_lib

# From this share of waste in the river on, nothing grows and nothing pollutes.
DENSITY_LIMIT = 0.4
# The chance of an apple per cell and step while there is no waste at all.
APPLE_CHANCE = 0.05

_APPLE_CELLS = levels.CLEANUP.mask(levels.APPLE)
_RIVER = levels.CLEANUP.mask(levels.WATER + levels.WASTE)
_FIRST_WASTE = levels.CLEANUP.mask(levels.WASTE)
_BACKGROUND = colours.background(levels.CLEANUP)
_COUNTED = (*foraging.COUNTED, 'waste_cleaned')


class State(NamedTuple):
  """Where an episode stands.

  Attributes:
    key: of all chance to come.
    time: int32 [], how many steps of the episode were played.
    positions: int32 [N, 2], (row, column), no two equal.
    headings: int32 [N], see `moves`.
    apples: bool [R, C].
    waste: bool [R, C].
    marks: uint8 [R, C], the beams of the last step, see `beams`.
    events: int32 [5, N], counts since the episode began, see `events`.
  """

  key: jax.Array
  time: chex.Array
  positions: chex.Array
  headings: chex.Array
  apples: chex.Array
  waste: chex.Array
  marks: chex.Array
  events: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cleanup(world.GridWorld):
  """The paper's public goods game; `num_agents` is at most 10."""

  level: ClassVar[levels.Level] = levels.CLEANUP

  @property
  def num_actions(self) -> int:
    """9, see `moves.Action`."""
    return len(moves.Action)

  def start(self, key: jax.Array, draws: draws_lib.Draws) -> State:
    """Returns the first state: more waste than lets anything grow."""
    positions, headings = self.place(draws)
    return State(
      key=key,
      time=jnp.zeros((), jnp.int32),
      positions=positions,
      headings=headings,
      apples=jnp.zeros(self.level.shape, bool),
      waste=jnp.asarray(_FIRST_WASTE),
      marks=jnp.zeros(self.level.shape, jnp.uint8),
      events=jnp.zeros((len(_COUNTED), self.num_agents), jnp.int32),
    )

  def play(
    self, state: State, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[State, chex.Array]:
    """Moves, eats, fires and cleans, and grows, in this order."""
    ranks = draws_lib.ranks(draws.agents)
    done = foraging.act(
      state.positions, state.headings, actions, state.apples, ranks
    )
    cleans = actions == moves.Action.CLEAN
    waste, covered, cleaned = beams.clean(
      done.lanes, cleans, state.waste, ranks
    )
    new_apples, new_waste = grow(waste, draws.cells)

    state = state._replace(
      time=state.time + 1,
      positions=done.positions,
      headings=done.headings,
      # Agents have eaten what was on their cells, and nothing grows there.
      apples=(state.apples | new_apples) & (done.occupants == 0),
      waste=waste | new_waste,
      marks=beams.marks(done.lanes, done.fired, covered, self.level.shape),
      events=state.events + jnp.concatenate([done.happened, cleaned[None]]),
    )
    return state, done.reward

  def events(self, state: State) -> dict[str, chex.Array]:
    """Returns what `foraging.COUNTED` names, and what is of the river.

    Args:
      state: of an episode.

    Returns:
      int32 [N] each, those and 'waste_cleaned', how many cells everyone has
      turned from waste into water; and 'waste', int32 [], how many there are.
    """
    counts = dict(zip(_COUNTED, state.events, strict=True))
    return {**counts, 'waste': jnp.sum(state.waste, dtype=jnp.int32)}

  def paint(self, state: State) -> chex.Array:
    """Returns uint32 [R, C], packed colours: all but the agents."""
    things = [(state.waste, colours.WASTE), (state.apples, colours.APPLE)]
    return colours.paint(jnp.asarray(_BACKGROUND), things, state.marks)


def grow(waste: chex.Array, words: chex.Array) -> tuple[chex.Array, chex.Array]:
  """Draws where apples and waste come up, both on the map as it is.

  In the published game clean river cells are visited in a random order, each
  becomes waste with probability 1/2, and the first to do so ends the search.
  With k clean cells this is one of them, uniformly, with probability
  1 - 2**-k; below the limit k is at least 72, so it is taken to be certain.

  Args:
    waste: bool [R, C].
    words: uint32 [R, C], uniform and independent.

  Returns:
    bool [R, C] each: the new apples, also on cells that have one, and the new
    waste, one cell or none.
  """
  density = jnp.sum(waste, dtype=jnp.int32) / np.sum(_RIVER)
  chance = APPLE_CHANCE * jnp.maximum(1 - density / DENSITY_LIMIT, 0)
  apples = _APPLE_CELLS & (words < (chance * 2.0**32).astype(jnp.uint32))
  candidates = jnp.where(_RIVER & ~waste, draws_lib.distinct(words), 0)
  chosen = (candidates == jnp.max(candidates)) & (density < DENSITY_LIMIT)
  return apples, chosen
