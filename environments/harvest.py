"""Defines Harvest: apples grow back only near other apples.

The rules are described on the environment's card, in README.md. Letters: N
agents, R x C the map.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

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


class State(NamedTuple):
  """Holds the state of an episode.

  Attributes:
    key: for all random draws to come.
    time: int32 [], steps of the episode so far.
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
class Harvest(foraging.ForagingWorld):
  """Defines the paper's tragedy of the commons.

  Attributes:
    level: the map, with at least one apple cell; a river has no effect. The
      paper's has 20 start cells.
    regrowth: the probability of an apple per cell and step, by the number of
      apples on the eight cells around: 0, 1, ...; the last probability is for
      its number or more.
  """

  level: levels.Level = levels.HARVEST
  regrowth: tuple[float, ...] = (0.0, 0.005, 0.02, 0.05)

  def __post_init__(self):
    super().__post_init__()
    self._set('regrowth', _check_regrowth(self.regrowth))

  @property
  def num_actions(self) -> int:
    """Number of actions, 8: all of `moves.Action` but CLEAN."""
    return moves.Action.FIRE + 1

  def start(self, key: jax.Array, draws: draws_lib.Draws) -> State:
    """Returns the first state: an apple on every apple cell."""
    positions, headings = self.place(draws)
    return State(
      key=key,
      time=jnp.zeros((), jnp.int32),
      positions=positions,
      headings=headings,
      apples=jnp.asarray(self.apple_cells),
      marks=jnp.zeros(self.level.shape, jnp.uint8),
      events=jnp.zeros((len(foraging.COUNTED), self.num_agents), jnp.int32),
    )

  def play(
    self, state: State, actions: chex.Array, draws: draws_lib.Draws
  ) -> tuple[State, chex.Array]:
    """Moves, eats, fires and grows, in this order."""
    ranks = draws_lib.ranks(draws.agents)
    done = self.act(state, actions, ranks)
    free = done.occupants == 0
    left = state.apples & free
    cleaned = jnp.zeros_like(done.fired)  # Nobody can.
    state = state._replace(
      time=state.time + 1,
      positions=done.positions,
      headings=done.headings,
      apples=left | (self.grow(left, draws.cells) & free),
      marks=beams.marks(done.lanes, done.fired, cleaned, self.level.shape),
      events=state.events + done.happened,
    )
    return state, done.reward

  def events(self, state: State) -> dict[str, chex.Array]:
    """Returns the counts of `foraging.COUNTED`, int32 [N] each."""
    return dict(zip(foraging.COUNTED, state.events, strict=True))

  def paint(self, state: State) -> chex.Array:
    """Draws the map without the agents, uint32 [R, C], packed colours."""
    things = [(state.apples, colours.APPLE)]
    return colours.paint(jnp.asarray(self.background), things, state.marks)

  def grow(self, apples: chex.Array, words: chex.Array) -> chex.Array:
    """Draws new apples, all on the map before any growth.

    Args:
      apples: bool [R, C], after the agents ate.
      words: uint32 [R, C], uniform and independent.

    Returns:
      bool [R, C]: the new apples, also on cells that have one and under agents.
    """
    counts = around(apples)
    grows = jnp.zeros(apples.shape, bool)
    for count, chance in enumerate(self.regrowth):
      # The number of words that mean an apple. All 2**32 do not fit a word, so
      # compare with the highest of them.
      num_words = math.ceil(chance * 2**32)
      comes_up = words <= np.uint32(num_words - 1) if num_words else False
      grows = jnp.where(counts >= count, comes_up, grows)
    return self.apple_cells & grows


def around(apples: chex.Array) -> chex.Array:
  """Counts the apples on a cell and its eight neighbours, uint8 [R, C].

  A cell's own apple counts too, which makes no difference: apples grow on cells
  without one.

  Args:
    apples: bool [R, C], False on the border.
  """
  counts = jnp.pad(apples.astype(jnp.uint8), 1)
  counts = counts[:-2] + counts[1:-1] + counts[2:]
  return counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]


def _check_regrowth(regrowth: Any) -> tuple[float, ...]:
  """Checks probabilities by the number of apples on the eight cells around."""
  if isinstance(regrowth, np.ndarray):
    regrowth = regrowth.tolist()
  if (
    not isinstance(regrowth, Sequence)
    or isinstance(regrowth, str)
    or not 1 <= len(regrowth) <= 9
  ):
    raise ValueError(
      f'regrowth is {regrowth!r}: it must be 1 to 9 probabilities, by how many '
      'apples are around: 0, 1, ..., 8.'
    )
  return tuple(
    checks.real(f'regrowth[{count}]', chance, 0, 1)
    for count, chance in enumerate(regrowth)
  )
