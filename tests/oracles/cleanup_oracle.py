"""Cleanup once more, see `grid_oracle`.

The river cell with the highest word is visited first. The word of the corner,
(0, 0), decides whether any visit succeeds.
"""

from typing import Any, ClassVar

import numpy as np

from influence_acme.environments.grid import colours
from oracles import grid_oracle

# The map, as runs of cells: row, first column, how many.
_WASTE_RUNS = (
  (2, 1, 6), (6, 1, 5), (8, 1, 6), (9, 1, 6), (11, 1, 5), (13, 1, 6),
  (15, 1, 4), (17, 1, 5), (19, 1, 4), (21, 1, 5), (23, 1, 4),
)  # fmt: skip
_WATER_RUNS = (
  (1, 1, 6), (3, 1, 6), (4, 1, 5), (5, 1, 5), (7, 1, 5), (10, 1, 5),
  (12, 1, 6), (14, 1, 5), (16, 1, 5), (18, 1, 5), (20, 1, 5), (22, 1, 5),
)  # fmt: skip
_STREAM_RUNS = ((8, 7, 6), (9, 7, 6))
_WIDE_ORCHARD_ROWS = (1, 3, 5, 7, 11, 13, 15, 17, 19, 21, 23)
_STARTS = (
  (4, 8), (5, 10), (10, 9), (10, 11), (11, 9),
  (12, 11), (13, 8), (15, 9), (17, 8), (17, 10),
)  # fmt: skip

_WASTE = grid_oracle.cells(_WASTE_RUNS)
_RIVER = _WASTE | grid_oracle.cells(_WATER_RUNS)
_STREAM = grid_oracle.cells(_STREAM_RUNS)
_ORCHARD = {
  (row, column)
  for row in range(1, 24)
  for column in range(12 if row in _WIDE_ORCHARD_ROWS else 13, 17)
}


class CleanupOracle(grid_oracle.GridOracle):
  """Plays Cleanup without JAX, given the same draws.

  Attributes:
    river: cells that can hold waste.
    polluted: those that do at the start of an episode.
    stream: cells that only look like it.
    apple_chance: of an apple where there is no waste.
    waste_chance: of waste in each cell that is visited.
    waste: cells with waste.
  """

  shape = (25, 18)
  starts = _STARTS
  river: ClassVar[set[grid_oracle.Cell]] = _RIVER
  polluted: ClassVar[set[grid_oracle.Cell]] = _WASTE
  stream: ClassVar[set[grid_oracle.Cell]] = _STREAM
  orchard = _ORCHARD
  apple_chance: ClassVar[float] = 0.05
  waste_chance: ClassVar[float] = 0.5

  def __init__(self, num_agents: int = 5):
    """Initialises the oracle; call `reset` or `load` next."""
    super().__init__(num_agents)
    self.waste: set[grid_oracle.Cell] = set()

  def reset(self, draws: Any) -> None:
    """Starts an episode, given the `Draws` of the reset."""
    super().reset(draws)
    self.apples, self.waste = set(), set(self.polluted)
    self.events['waste_cleaned'] = [0] * self._num_agents

  def load(self, state: Any) -> None:
    """Takes over everything but the beams from a Cleanup state."""
    super().load(state)
    self.waste = {(int(r), int(c)) for r, c in np.argwhere(state.waste)}

  def clean(self, agent: int) -> None:
    """Turns the first waste in every lane into water."""
    for lane in self.lanes(agent):
      for cell in lane:
        self.beams.setdefault(cell, colours.CLEANING)
        if cell in self.waste:
          self.waste.remove(cell)
          self.events['waste_cleaned'][agent] += 1
          break

  def grow(self, words: np.ndarray) -> None:
    """Lets apples and one waste come up, if the river is clean enough."""
    density = len(self.waste) / len(self.river)
    if density >= 0.4:
      return
    chance = self.apple_chance * (1 - density / 0.4)
    for cell in self.orchard - set(self.positions):
      if int(words[cell]) / 2**32 < chance:
        self.apples.add(cell)
    clean = self.river - self.waste
    all_visits_fail = (1 - self.waste_chance) ** len(clean)
    if int(words[0, 0]) / 2**32 < 1 - all_visits_fail:
      self.waste.add(max(clean, key=lambda cell: words[cell]))

  def ground(self, cell: grid_oracle.Cell) -> colours.RGB | None:
    """Returns the colour of waste and water."""
    if cell in self.waste:
      return colours.WASTE
    return colours.WATER if cell in self.river | self.stream else None
