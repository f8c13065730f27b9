"""Cleanup once more: slow, plain, and written from the rules alone.

Cells are (row, column) pairs in sets and dicts, agents act one by one. Nothing
is shared with the fast version but the numbering of actions and headings, the
colours, and what its random words mean (`grid.draws.Draws`):

* an agent with a higher word goes first, in contests and among beams;
* an apple grows where word / 2**32 is below the chance;
* the river cell with the highest word is visited first.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from influence_acme.environments.grid import colours, moves
from influence_acme.testing import moves_oracle

Cell = moves_oracle.Cell

_ROWS, _COLUMNS = 25, 18
_DELTAS = {
  moves.UP: (-1, 0),
  moves.RIGHT: (0, 1),
  moves.DOWN: (1, 0),
  moves.LEFT: (0, -1),
}
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


def _cells(runs: Sequence[tuple[int, int, int]]) -> set[Cell]:
  return {(row, first + i) for row, first, n in runs for i in range(n)}


_WASTE = _cells(_WASTE_RUNS)
_RIVER = _WASTE | _cells(_WATER_RUNS)
_STREAM = _cells(_STREAM_RUNS)
_ORCHARD = {
  (row, column)
  for row in range(1, _ROWS - 1)
  for column in range(12 if row in _WIDE_ORCHARD_ROWS else 13, _COLUMNS - 1)
}


def _is_wall(cell: Cell) -> bool:
  row, column = cell
  return not (0 < row < _ROWS - 1 and 0 < column < _COLUMNS - 1)


def _add(cell: Cell, heading: int, steps: int = 1) -> Cell:
  row, column = _DELTAS[heading % 4]
  return cell[0] + steps * row, cell[1] + steps * column


class CleanupOracle:
  """Plays Cleanup without JAX, given the same draws.

  Attributes:
    time: steps of the episode played so far.
    positions: the cell of each agent.
    headings: of each agent.
    apples: cells with an apple.
    waste: cells with waste.
    beams: what the beams of the last step look like, by cell.
  """

  def __init__(self, num_agents: int = 5):
    """Initialises the oracle; call `reset` or `load` next."""
    self._num_agents = num_agents
    self.time = 0
    self.positions: list[Cell] = []
    self.headings: list[int] = []
    self.apples: set[Cell] = set()
    self.waste: set[Cell] = set()
    self.beams: dict[Cell, colours.RGB] = {}

  def reset(self, draws: Any) -> None:
    """Starts an episode, given the `Draws` of the reset."""
    shuffled = sorted(range(len(_STARTS)), key=lambda i: -int(draws.starts[i]))
    self.time = 0
    self.positions = [_STARTS[i] for i in shuffled[: self._num_agents]]
    self.headings = [int(word) >> 30 for word in draws.agents]
    self.apples, self.waste, self.beams = set(), set(_WASTE), {}

  def load(self, state: Any) -> None:
    """Takes over everything but the beams from a Cleanup state."""
    self.time = int(state.time)
    self.positions = [(int(r), int(c)) for r, c in state.positions]
    self.headings = [int(heading) for heading in state.headings]
    self.apples = {(int(r), int(c)) for r, c in np.argwhere(state.apples)}
    self.waste = {(int(r), int(c)) for r, c in np.argwhere(state.waste)}
    self.beams = {}

  def step(self, actions: Sequence[int], draws: Any) -> list[float]:
    """Plays one step and returns everyone's reward."""
    self.time += 1
    self.beams = {}
    rewards = [0.0] * self._num_agents
    order = sorted(range(self._num_agents), key=lambda i: -int(draws.agents[i]))
    self._move(actions, order)
    for i, cell in enumerate(self.positions):
      if cell in self.apples:
        self.apples.remove(cell)
        rewards[i] += 1
    for i in order:
      if actions[i] == moves.Action.FIRE:
        rewards[i] -= 1
        for victim in self._fire(i):
          rewards[victim] -= 50
      elif actions[i] == moves.Action.CLEAN:
        self._clean(i)
    self._grow(draws.cells)
    return rewards

  def observations(self) -> np.ndarray:
    """Returns uint8 [N, 15, 15, 3], everyone's view."""
    views = np.zeros((self._num_agents, 15, 15, 3), np.uint8)
    for i, (cell, heading) in enumerate(
      zip(self.positions, self.headings, strict=True)
    ):
      for row in range(15):
        for column in range(15):
          there = _add(_add(cell, heading, 7 - row), heading + 1, column - 7)
          views[i, row, column] = self._colour(there)
    return views

  def visible(self) -> np.ndarray:
    """Returns bool [N, N], who stands in whose view."""
    seen = np.zeros((self._num_agents, self._num_agents), bool)
    for i, (row, column) in enumerate(self.positions):
      for j, (other_row, other_column) in enumerate(self.positions):
        near = abs(row - other_row) <= 7 and abs(column - other_column) <= 7
        seen[i, j] = near and i != j
    return seen

  def _move(self, actions: Sequence[int], order: list[int]) -> None:
    wants: list[Cell | None] = []
    for i, action in enumerate(actions):
      cell, heading = self.positions[i], self.headings[i]
      towards = {
        moves.Action.STEP_LEFT: heading + 3,
        moves.Action.STEP_RIGHT: heading + 1,
        moves.Action.STEP_FORWARD: heading,
        moves.Action.STEP_BACK: heading + 2,
      }
      if action in towards:
        target = _add(cell, towards[moves.Action(action)])
        wants.append(cell if _is_wall(target) else target)
      else:
        wants.append(cell if action == moves.Action.STAY else None)
      turns = {
        moves.Action.TURN_CLOCKWISE: 1,
        moves.Action.TURN_COUNTERCLOCKWISE: -1,
      }
      self.headings[i] = (heading + turns.get(moves.Action(action), 0)) % 4
    ranks = [order.index(i) for i in range(self._num_agents)]
    self.positions = moves_oracle.resolve_moves(self.positions, wants, ranks)

  def _lanes(self, shooter: int) -> list[list[Cell]]:
    """Returns the cells of the three lanes, cut off by walls and agents."""
    cell, heading = self.positions[shooter], self.headings[shooter]
    ahead = _add(cell, heading)
    starts = [_add(cell, heading - 1), ahead, _add(cell, heading + 1)]
    lanes = []
    for start in starts:
      lane: list[Cell] = []
      for steps in range(5):
        there = _add(start, heading, steps)
        if _is_wall(there):
          break
        lane.append(there)
        if there in self.positions:
          break
      lanes.append(lane)
    return lanes

  def _fire(self, shooter: int) -> list[int]:
    victims = []
    for lane in self._lanes(shooter):
      for cell in lane:
        self.beams[cell] = colours.FIRING
        if cell in self.positions:
          victims.append(self.positions.index(cell))
    return victims

  def _clean(self, shooter: int) -> None:
    for lane in self._lanes(shooter):
      for cell in lane:
        self.beams.setdefault(cell, colours.CLEANING)
        if cell in self.waste:
          self.waste.remove(cell)
          break

  def _grow(self, words: np.ndarray) -> None:
    density = len(self.waste) / len(_RIVER)
    if density >= 0.4:
      return
    chance = 0.05 * (1 - density / 0.4)
    for cell in _ORCHARD - set(self.positions):
      if int(words[cell]) / 2**32 < chance:
        self.apples.add(cell)
    self.waste.add(max(_RIVER - self.waste, key=lambda cell: words[cell]))

  def _colour(self, cell: Cell) -> colours.RGB:
    row, column = cell
    if not (0 <= row < _ROWS and 0 <= column < _COLUMNS):
      return (0, 0, 0)
    if cell in self.positions:
      return colours.AGENTS[self.positions.index(cell)]
    if cell in self.beams:
      return self.beams[cell]
    if cell in self.apples:
      return colours.APPLE
    if cell in self.waste:
      return colours.WASTE
    if cell in _RIVER or cell in _STREAM:
      return colours.WATER
    return colours.WALL if _is_wall(cell) else colours.FLOOR
