"""Box Trapped once more: slow, plain, and written from the rules alone."""

from collections.abc import Sequence

import numpy as np

from influence_acme.environments.grid import colours, moves
from oracles import grid_oracle

_ORCHARD = grid_oracle.cells(
  ((1, 1, 7), (2, 1, 3), (2, 5, 3), (4, 1, 7), (5, 1, 7), (7, 5, 1))
)
_DOOR = {(6, 4), (6, 5)}
_BARE = {(2, 4), (7, 4)}  # Where the two start.


class BoxTrappedOracle:
  """Plays Box Trapped without JAX.

  Attributes:
    positions: the cell of each agent.
    headings: of each agent.
    door: 'shut', 'ajar' or 'open'.
    apples_eaten: of each agent.
    was_opened: whether the door was open in some step.
  """

  def __init__(self, falls_shut: bool = True):
    """Starts an episode."""
    self._falls_shut = falls_shut
    self.positions: list[grid_oracle.Cell] = [(2, 4), (7, 4)]
    self.headings = [moves.UP, moves.UP]
    self.door = 'shut'
    self.apples_eaten = [0, 0]
    self.was_opened = False

  def step(self, actions: Sequence[int]) -> list[float]:
    """Plays one step and returns everyone's reward."""
    if self.door == 'ajar':
      self.door = 'shut'
    if actions[0] == 7 and self.door == 'shut':
      self.door = 'ajar' if self._falls_shut else 'open'
    self.was_opened |= self.door != 'shut'
    free = _ORCHARD | _BARE | (set() if self.door == 'shut' else _DOOR)
    rewards = [0.0, 0.0]
    for i, action in enumerate(actions):
      cell, heading = self.positions[i], self.headings[i]
      want = grid_oracle.target(cell, heading, action)
      self.headings[i] = grid_oracle.turned(heading, action)
      if want in free:
        self.positions[i] = want
        rewards[i] = float(want not in _BARE)
        self.apples_eaten[i] += want not in _BARE
    if self.positions[1] in _DOOR:
      self.door = 'open'
    return rewards

  def observations(self) -> np.ndarray:
    """Returns uint8 [2, 9, 9, 3], the map as each looks at it."""
    centre = (4, 4)
    views = np.zeros((2, 9, 9, 3), np.uint8)
    for i, heading in enumerate(self.headings):
      for row in range(9):
        for column in range(9):
          ahead = grid_oracle.add(centre, heading, 4 - row)
          there = grid_oracle.add(ahead, heading + 1, column - 4)
          views[i, row, column] = self._colour(there)
    return views

  def _colour(self, cell: grid_oracle.Cell) -> colours.RGB:
    if cell in self.positions:
      return colours.AGENTS[self.positions.index(cell)]
    if cell in _DOOR and self.door != 'open':
      return colours.SHUT if self.door == 'shut' else colours.AJAR
    if cell in _ORCHARD | _DOOR:
      return colours.APPLE
    return colours.FLOOR if cell in _BARE else colours.WALL
