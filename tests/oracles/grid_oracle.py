"""Grid worlds once more: slow, plain, and written from the rules alone.

Cells are (row, column) pairs in sets and dicts, agents act one by one. Nothing
is shared with the fast versions but the numbering of actions and headings, the
colours, and what their random words mean (`grid.draws.Draws`):

* an agent with a higher word goes first, in contests and among beams;
* an apple grows where word / 2**32 is below the chance.
"""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from influence_acme.environments.grid import colours, moves
from oracles import moves_oracle

Cell = moves_oracle.Cell

_DELTAS = {
  moves.UP: (-1, 0),
  moves.RIGHT: (0, 1),
  moves.DOWN: (1, 0),
  moves.LEFT: (0, -1),
}
# How far clockwise from its heading an agent steps.
_TOWARDS = {
  moves.Action.STEP_LEFT: 3,
  moves.Action.STEP_RIGHT: 1,
  moves.Action.STEP_FORWARD: 0,
  moves.Action.STEP_BACK: 2,
}
_TURNS = {
  moves.Action.TURN_CLOCKWISE: 1,
  moves.Action.TURN_COUNTERCLOCKWISE: -1,
}


def cells(runs: Sequence[tuple[int, int, int]]) -> set[Cell]:
  """Returns the cells of runs: row, first column, how many."""
  return {(row, first + i) for row, first, n in runs for i in range(n)}


def add(cell: Cell, heading: int, steps: int = 1) -> Cell:
  """Returns the cell some steps away in the direction of a heading."""
  row, column = _DELTAS[heading % 4]
  return cell[0] + steps * row, cell[1] + steps * column


def target(cell: Cell, heading: int, action: int) -> Cell | None:
  """Returns where an agent would step; None for other actions than steps."""
  if action not in _TOWARDS:
    return None
  return add(cell, heading + _TOWARDS[moves.Action(action)])


def turned(heading: int, action: int) -> int:
  """Returns an agent's heading after its action."""
  return (heading + _TURNS.get(moves.Action(action), 0)) % 4


class GridOracle(abc.ABC):
  """Plays a game of moving, eating and firing without JAX, given its draws.

  Attributes:
    shape: rows and columns of the map.
    starts: cells on which agents start, row by row.
    inner_walls: cells of walls that are not on the border.
    orchard: cells on which apples can grow.
    fire_cost: what firing takes from an agent's reward.
    hit_cost: what a hit takes from the reward of the agent hit.
    view_size: cells on each side of a view.
    time: steps of the episode played so far.
    positions: the cell of each agent.
    headings: of each agent.
    apples: cells with an apple.
    beams: what the beams of the last step look like, by cell.
    events: what each agent did and met in the episode so far, by name.
  """

  shape: ClassVar[tuple[int, int]]
  starts: ClassVar[tuple[Cell, ...]]
  inner_walls: ClassVar[set[Cell]] = set()
  orchard: ClassVar[set[Cell]]
  fire_cost: ClassVar[float] = 1
  hit_cost: ClassVar[float] = 50
  view_size: ClassVar[int] = 15

  def __init__(self, num_agents: int = 5):
    """Initialises the oracle; call `reset` or `load` next."""
    self._num_agents = num_agents
    self.time = 0
    self.positions: list[Cell] = []
    self.headings: list[int] = []
    self.apples: set[Cell] = set()
    self.beams: dict[Cell, colours.RGB] = {}
    self.events: dict[str, list[int]] = {}

  def reset(self, draws: Any) -> None:
    """Starts an episode, given the `Draws` of the reset."""
    order = sorted(range(len(self.starts)), key=lambda i: -int(draws.starts[i]))
    self.time = 0
    self.positions = [self.starts[i] for i in order[: self._num_agents]]
    self.headings = [int(word) >> 30 for word in draws.agents]
    self.beams = {}
    self.events = {
      name: [0] * self._num_agents
      for name in ('apples', 'beams', 'hits', 'fined')
    }

  def load(self, state: Any) -> None:
    """Takes over all but beams and events from the fast version's state."""
    self.time = int(state.time)
    self.positions = [(int(r), int(c)) for r, c in state.positions]
    self.headings = [int(heading) for heading in state.headings]
    self.apples = {(int(r), int(c)) for r, c in np.argwhere(state.apples)}
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
        self.events['apples'][i] += 1
    fined = set()
    for i in order:
      if actions[i] == moves.Action.FIRE:
        rewards[i] -= self.fire_cost
        self.events['beams'][i] += 1
        for victim in self._fire(i):
          rewards[victim] -= self.hit_cost
          self.events['hits'][victim] += 1
          fined.add(victim)
      elif actions[i] == moves.Action.CLEAN:
        self.clean(i)
    for i in fined:
      self.events['fined'][i] += 1
    self.grow(draws.cells)
    return rewards

  def observations(self) -> np.ndarray:
    """Returns uint8 [N, V, V, 3], everyone's view."""
    size, reach = self.view_size, self.view_size // 2
    views = np.zeros((self._num_agents, size, size, 3), np.uint8)
    for i, (cell, heading) in enumerate(
      zip(self.positions, self.headings, strict=True)
    ):
      for row in range(size):
        for column in range(size):
          ahead = add(cell, heading, reach - row)
          there = add(ahead, heading + 1, column - reach)
          views[i, row, column] = self._colour(there)
    return views

  def visible(self) -> np.ndarray:
    """Returns bool [N, N], who stands in whose view."""
    seen = np.zeros((self._num_agents, self._num_agents), bool)
    reach = self.view_size // 2
    for i, (row, column) in enumerate(self.positions):
      for j, (other_row, other_column) in enumerate(self.positions):
        distance = max(abs(row - other_row), abs(column - other_column))
        seen[i, j] = distance <= reach and i != j
    return seen

  def lanes(self, shooter: int) -> list[list[Cell]]:
    """Returns the cells of the three lanes, cut off by walls and agents."""
    cell, heading = self.positions[shooter], self.headings[shooter]
    first = [add(cell, heading - 1), add(cell, heading), add(cell, heading + 1)]
    lanes = []
    for start in first:
      lane: list[Cell] = []
      for steps in range(5):
        there = add(start, heading, steps)
        if self._is_wall(there):
          break
        lane.append(there)
        if there in self.positions:
          break
      lanes.append(lane)
    return lanes

  @abc.abstractmethod
  def grow(self, words: np.ndarray) -> None:
    """Lets things come up, given the words of all cells."""

  def clean(self, agent: int) -> None:
    """Lets an agent clean, in a game in which there is something to clean."""
    raise NotImplementedError(f'Agent {agent} cannot clean here.')

  def ground(self, cell: Cell) -> colours.RGB | None:
    """Returns the colour of a cell that is neither floor nor wall, or None."""
    del cell
    return None

  def _is_wall(self, cell: Cell) -> bool:
    (row, column), (rows, columns) = cell, self.shape
    inside = 0 < row < rows - 1 and 0 < column < columns - 1
    return not inside or cell in self.inner_walls

  def _move(self, actions: Sequence[int], order: list[int]) -> None:
    wants: list[Cell | None] = []
    for i, action in enumerate(actions):
      cell, heading = self.positions[i], self.headings[i]
      want = target(cell, heading, action)
      stays = action == moves.Action.STAY
      if stays or (want is not None and self._is_wall(want)):
        want = cell
      wants.append(want)
      self.headings[i] = turned(heading, action)
    ranks = [order.index(i) for i in range(self._num_agents)]
    self.positions = moves_oracle.resolve_moves(self.positions, wants, ranks)

  def _fire(self, shooter: int) -> list[int]:
    victims = []
    for lane in self.lanes(shooter):
      for cell in lane:
        self.beams[cell] = colours.FIRING
        if cell in self.positions:
          victims.append(self.positions.index(cell))
    return victims

  def _colour(self, cell: Cell) -> colours.RGB:
    row, column = cell
    if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
      return (0, 0, 0)
    if cell in self.positions:
      return colours.AGENTS[self.positions.index(cell)]
    if cell in self.beams:
      return self.beams[cell]
    if cell in self.apples:
      return colours.APPLE
    wall_or_floor = colours.WALL if self._is_wall(cell) else colours.FLOOR
    return self.ground(cell) or wall_or_floor
