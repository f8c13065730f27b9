"""Defines Cleanup: apples grow only while the river is clean enough.

The rules are described on the environment's card, in README.md. Letters: N
agents, R x C the map, M cells of river.
"""

import dataclasses
import fractions
import functools
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import checks
from influence_acme.environments.grid import (
  beams,
  colours,
  foraging,
  levels,
  moves,
)
from influence_acme.environments.grid import draws as draws_lib

# At this share of waste in the river and above, nothing grows or pollutes.
DENSITY_LIMIT = fractions.Fraction(2, 5)

_COUNTED = (*foraging.COUNTED, 'waste_cleaned')


class State(NamedTuple):
  """Holds the state of an episode.

  Attributes:
    key: for all random draws to come.
    time: int32 [], steps of the episode so far.
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
class Cleanup(foraging.ForagingWorld):
  """Defines the paper's public goods game.

  Attributes:
    level: the map, with at least one river cell and one apple cell. The paper's
      has 10 start cells.
    apple_chance: the probability of an apple per cell and step while there is
      no waste at all.
    waste_chance: the probability with which a clean cell of the river becomes
      waste when it is visited, see `grow`.
  """

  level: levels.Level = levels.CLEANUP
  apple_chance: float = 0.05
  waste_chance: float = 0.5

  def __post_init__(self):
    super().__post_init__()
    for name in ('apple_chance', 'waste_chance'):
      checks.real(name, getattr(self, name), 0, 1)
    self.level.require(levels.WATER + levels.WASTE, type(self).__name__)

  @property
  def num_actions(self) -> int:
    """Number of actions, 9: see `moves.Action`."""
    return len(moves.Action)

  @functools.cached_property
  def river(self) -> np.ndarray:
    """Cells that can become waste, bool [R, C]."""
    return self.level.mask(levels.WATER + levels.WASTE)

  @functools.cached_property
  def waste_limit(self) -> int:
    """Least number of waste cells that stops growth; 48 on the paper's map."""
    return math.ceil(DENSITY_LIMIT * int(self.river.sum()))

  def start(self, key: jax.Array, draws: draws_lib.Draws) -> State:
    """Returns the first state: no apples, and the level's waste."""
    positions, headings = self.place(draws)
    return State(
      key=key,
      time=jnp.zeros((), jnp.int32),
      positions=positions,
      headings=headings,
      apples=jnp.zeros(self.level.shape, bool),
      waste=jnp.asarray(self.level.mask(levels.WASTE)),
      marks=jnp.zeros(self.level.shape, jnp.uint8),
      events=jnp.zeros((len(_COUNTED), self.num_agents), jnp.int32),
    )

  def play(
    self, state: State, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[State, chex.Array]:
    """Moves, eats, fires and cleans, and grows, in this order."""
    ranks = draws_lib.ranks(draws.agents)
    done = self.act(state, actions, ranks)
    cleans = actions == moves.Action.CLEAN
    waste, covered, cleaned = beams.clean(
      done.lanes, cleans, state.waste, ranks
    )
    new_apples, new_waste = self.grow(waste, draws.cells)

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
    """Returns the counts of `foraging.COUNTED`, and those of the river.

    Args:
      state: of an episode.

    Returns:
      int32 [N] each: these and 'waste_cleaned', the number of cells that each
      agent has turned from waste into water; and 'waste', int32 [], the number
      of waste cells now.
    """
    counts = dict(zip(_COUNTED, state.events, strict=True))
    return {**counts, 'waste': jnp.sum(state.waste, dtype=jnp.int32)}

  def paint(self, state: State) -> chex.Array:
    """Draws the map without the agents, uint32 [R, C], packed colours."""
    things = [(state.waste, colours.WASTE), (state.apples, colours.APPLE)]
    return colours.paint(jnp.asarray(self.background), things, state.marks)

  def grow(
    self, waste: chex.Array, words: chex.Array
  ) -> tuple[chex.Array, chex.Array]:
    """Draws new apples and new waste, both on the map before any growth.

    In the published game clean river cells are visited in a random order, each
    becomes waste with a probability p of 1/2, and the first to do so ends the
    search. With k clean cells this is one of them, uniformly, with probability
    1 - (1 - p)**k: certain on the paper's map, where k is at least 72.

    Args:
      waste: bool [R, C].
      words: uint32 [R, C], uniform and independent.

    Returns:
      bool [R, C] each: the new apples, also on cells that have one, and the new
      waste, one cell or none.
    """
    num_waste = jnp.sum(waste, dtype=jnp.int32)
    density = num_waste / np.sum(self.river)
    chance = self.apple_chance * jnp.maximum(
      1 - density / float(DENSITY_LIMIT), 0
    )
    # If the limit is a whole number, rounding must not leave a small chance.
    chance = jnp.where(num_waste < self.waste_limit, chance, 0)
    apples = self.apple_cells & draws_lib.happens(words, chance)
    candidates = jnp.where(self.river & ~waste, draws_lib.distinct(words), 0)
    comes_up = draws_lib.happens(
      words[0, 0], jnp.asarray(self._waste_chances)[num_waste]
    )
    return apples, (candidates == jnp.max(candidates)) & comes_up

  @functools.cached_property
  def _waste_chances(self) -> np.ndarray:
    """Probability of new waste by number of waste cells, float32 [M + 1]."""
    num_waste = np.arange(self.river.sum() + 1)
    num_clean = num_waste[::-1]
    chances = 1 - (1 - self.waste_chance) ** num_clean
    return np.where(num_waste < self.waste_limit, chances, 0).astype(np.float32)
