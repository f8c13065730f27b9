"""Harvest once more, see `grid_oracle`."""

from typing import Any, ClassVar

import numpy as np

from oracles import grid_oracle

# The map, as runs of cells: row, first column, how many.
_APPLE_RUNS = (
  (1, 13, 1), (1, 20, 5), (1, 32, 1), (2, 9, 1), (2, 13, 2), (2, 24, 3),
  (2, 31, 1), (2, 34, 1), (3, 6, 1), (3, 8, 3), (3, 13, 3), (3, 20, 1),
  (3, 25, 1), (3, 27, 2), (3, 30, 4), (4, 2, 1), (4, 5, 3), (4, 9, 1),
  (4, 14, 1), (4, 17, 1), (4, 19, 3), (4, 24, 1), (4, 27, 1), (4, 31, 1),
  (4, 33, 1), (5, 1, 3), (5, 6, 1), (5, 8, 1), (5, 13, 1), (5, 16, 3),
  (5, 20, 1), (5, 23, 3), (5, 34, 1), (6, 2, 1), (6, 4, 1), (6, 7, 3),
  (6, 12, 3), (6, 17, 1), (6, 19, 1), (6, 24, 1), (6, 26, 2), (6, 31, 2),
  (6, 34, 2), (7, 3, 1), (7, 5, 1), (7, 8, 3), (7, 15, 1), (7, 17, 1),
  (7, 20, 3), (7, 27, 3), (7, 32, 1), (8, 4, 3), (8, 9, 1), (8, 16, 3),
  (8, 21, 1), (8, 26, 4), (9, 5, 1), (9, 13, 1), (9, 16, 1), (9, 18, 3),
  (9, 25, 1), (9, 28, 1), (10, 1, 1), (10, 4, 3), (10, 9, 1), (10, 12, 1),
  (10, 15, 3), (10, 19, 1), (10, 24, 4), (11, 5, 1), (11, 7, 1), (11, 11, 3),
  (11, 16, 1), (11, 18, 1), (11, 25, 1), (11, 27, 2), (11, 32, 1), (12, 6, 3),
  (12, 12, 1), (12, 14, 1), (12, 17, 3), (12, 26, 2), (12, 31, 3), (13, 2, 1),
  (13, 7, 1), (13, 13, 3), (13, 18, 1), (13, 32, 1), (14, 14, 1),
)  # fmt: skip
_STARTS = (
  (1, 2), (1, 6), (1, 18), (1, 29), (1, 34), (2, 3), (2, 11), (2, 19), (5, 36),
  (9, 2), (9, 35), (10, 33), (11, 35), (12, 35), (13, 21), (14, 8), (14, 24),
  (14, 27), (14, 29), (14, 35),
)  # fmt: skip

_ORCHARD = grid_oracle.cells(_APPLE_RUNS)


class HarvestOracle(grid_oracle.GridOracle):
  """Plays Harvest without JAX, given the same draws.

  Attributes:
    regrowth: of an apple, by how many are around, the last one for more too.
  """

  shape = (16, 38)
  starts = _STARTS
  orchard = _ORCHARD
  regrowth: ClassVar[tuple[float, ...]] = (0, 0.005, 0.02, 0.05)

  def reset(self, draws: Any) -> None:
    """Starts an episode, given the `Draws` of the reset."""
    super().reset(draws)
    self.apples = set(self.orchard)

  def grow(self, words: np.ndarray) -> None:
    """Lets apples come up where others are near, all at once."""
    grown = set()
    for cell in self.orchard - self.apples - set(self.positions):
      near = sum(
        (row - cell[0]) ** 2 + (column - cell[1]) ** 2 <= 2
        for row, column in self.apples
      )
      chance = self.regrowth[min(near, len(self.regrowth) - 1)]
      if int(words[cell]) / 2**32 < chance:
        grown.add(cell)
    self.apples |= grown
