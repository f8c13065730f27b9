"""Harvest: apples grow back only where others are left nearby.

The rules in words are on the environment's card, in README.md. Letters: N
agents, R x C = 16 x 38 the map.
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

# The chance of an apple per cell and step, by how many apples lie on the eight
# cells around: 0, 1, 2, and 3 or more.
CHANCES = (0.0, 0.005, 0.02, 0.05)

_APPLE_CELLS = levels.HARVEST.mask(levels.APPLE)
_BACKGROUND = colours.background(levels.HARVEST)
# A word below its threshold is an apple.
_THRESHOLDS = np.ceil(np.array(CHANCES) * 2.0**32).astype(np.uint32)


class State(NamedTuple):
  """Where an episode stands.

  Attributes:
    key: of all chance to come.
    time: int32 [], how many steps of the episode were played.
    positions: int32 [N, 2], (row, column), no two equal.
    headings: int32 [N], see `moves`.
    apples: bool [R, C].
    marks: uint8 [R, C], the beams of the last step, see `beams`.
    events: int32 [4, N], counts since the episode began, see `events`.
  """

  key: jax.Array
  time: chex.Array
  positions: chex.Array
  headings: chex.Array
  apples: chex.Array
  marks: chex.Array
  events: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Harvest(world.GridWorld):
  """The paper's tragedy of the commons; `num_agents` is at most 20."""

  level: ClassVar[levels.Level] = levels.HARVEST

  @property
  def num_actions(self) -> int:
    """8: all of `moves.Action` but CLEAN."""
    return moves.Action.FIRE + 1

  def start(self, key: jax.Array, draws: draws_lib.Draws) -> State:
    """Returns the first state: an apple wherever one can grow."""
    positions, headings = self.place(draws)
    return State(
      key=key,
      time=jnp.zeros((), jnp.int32),
      positions=positions,
      headings=headings,
      apples=jnp.asarray(_APPLE_CELLS),
      marks=jnp.zeros(self.level.shape, jnp.uint8),
      events=jnp.zeros((len(foraging.COUNTED), self.num_agents), jnp.int32),
    )

  def play(
    self, state: State, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[State, chex.Array]:
    """Moves, eats, fires and grows, in this order."""
    ranks = draws_lib.ranks(draws.agents)
    done = foraging.act(
      state.positions, state.headings, actions, state.apples, ranks
    )
    free = done.occupants == 0
    left = state.apples & free
    cleaned = jnp.zeros_like(done.fired)  # Nobody can.
    state = state._replace(
      time=state.time + 1,
      positions=done.positions,
      headings=done.headings,
      apples=left | (grow(left, draws.cells) & free),
      marks=beams.marks(done.lanes, done.fired, cleaned, self.level.shape),
      events=state.events + done.happened,
    )
    return state, done.reward

  def events(self, state: State) -> dict[str, chex.Array]:
    """Returns what `foraging.COUNTED` names, int32 [N] each."""
    return dict(zip(foraging.COUNTED, state.events, strict=True))

  def paint(self, state: State) -> chex.Array:
    """Returns uint32 [R, C], packed colours: all but the agents."""
    things = [(state.apples, colours.APPLE)]
    return colours.paint(jnp.asarray(_BACKGROUND), things, state.marks)


def grow(apples: chex.Array, words: chex.Array) -> chex.Array:
  """Draws where apples come up, all on the map as it is.

  Args:
    apples: bool [R, C], after everyone ate.
    words: uint32 [R, C], uniform and independent.

  Returns:
    bool [R, C]: the new apples, also on cells that have one and under agents.
  """
  counts = around(apples)
  threshold = jnp.zeros(apples.shape, jnp.uint32)
  for count in range(1, len(CHANCES)):
    threshold = jnp.where(counts >= count, _THRESHOLDS[count], threshold)
  return _APPLE_CELLS & (words < threshold)


def around(apples: chex.Array) -> chex.Array:
  """Returns uint8 [R, C], how many apples a cell and its eight neighbours hold.

  A cell's own apple counts, which changes nothing: apples come up on cells
  without one.

  Args:
    apples: bool [R, C], False on the border.
  """
  counts = jnp.pad(apples.astype(jnp.uint8), 1)
  counts = counts[:-2] + counts[1:-1] + counts[2:]
  return counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]
