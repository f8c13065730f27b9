"""Defines map layouts, drawn as text.

Letters: R x C the rows and columns of the map, border wall included.
"""

import dataclasses
import functools

import numpy as np

WALL = '#'
FLOOR = '.'
START = '+'
APPLE = 'a'  # floor on which apples grow
WATER = '~'  # river, clean at the start of an episode
WASTE = 'w'  # river, polluted at the start of an episode
STREAM = 's'  # looks like river, is never polluted
INNER_WALL = 'x'  # a wall that is not on the border
DOOR = 'd'  # an inner wall while it is shut, floor on which apples grow if not

_LEGEND = {
  WALL: 'outer wall',
  INNER_WALL: 'inner wall',
  FLOOR: 'floor',
  START: 'start cell',
  APPLE: 'apple cell',
  WATER: 'clean river',
  WASTE: 'polluted river',
  STREAM: 'stream',
  DOOR: 'door',
}


@dataclasses.dataclass(frozen=True)
class Level:
  """Holds a map with a wall around it.

  Moves and beams rely on that wall: a cell is drawn as WALL if and only if it
  lies on the border, so that one comparison of coordinates replaces a look-up.
  Walls inside of the map are drawn as INNER_WALL.

  Attributes:
    text: one line a row, one character (see above) a column. Blank lines and
      blanks around a line do not count.
  """

  text: str

  def __post_init__(self):
    """Checks the properties that the rules rely on."""
    if not isinstance(self.text, str) or not self.text.strip():
      raise ValueError(
        f'level is {self.text!r}: it must be text, one line a row, or a Level.'
      )
    lines = [line.strip() for line in self.text.splitlines() if line.strip()]
    # Equal maps are equal levels, with any blanks around them.
    object.__setattr__(self, 'text', '\n'.join(lines))
    for row, line in enumerate(lines):
      if len(line) != len(lines[0]):
        raise ValueError(
          f'level has {len(line)} cells in row {row}, {line!r}, and '
          f'{len(lines[0])} in row 0: all rows must have the same length.'
        )
    unknown = sorted(set(''.join(lines)) - set(_LEGEND))
    if unknown:
      legend = ', '.join(f'{key!r} {what}' for key, what in _LEGEND.items())
      raise ValueError(
        f'level has {unknown[0]!r} at {self.where(unknown[0])}: it must hold '
        f'{legend}.'
      )
    self._check_walls()

  @property
  def shape(self) -> tuple[int, int]:
    """Shape of the map, (R, C)."""
    rows, columns = self._cells.shape
    return rows, columns

  @property
  def starts(self) -> np.ndarray:
    """Start cells of agents, (row, column), int32 [P, 2]."""
    return np.argwhere(self.mask(START)).astype(np.int32)

  def mask(self, kinds: str) -> np.ndarray:
    """Returns bool [R, C]: the cell is drawn as one of these characters."""
    return np.isin(self._cells, list(kinds))

  def where(self, kinds: str) -> str:
    """Describes the place of the first cell of these kinds."""
    return _place(self.mask(kinds))

  def require(self, kinds: str, game: str) -> None:
    """Checks that there is a cell of at least one of these kinds.

    Args:
      kinds: characters.
      game: that needs it, for the error.

    Raises:
      ValueError: there is none.
    """
    if not self.mask(kinds).any():
      names = ' or '.join(f'{_LEGEND[kind]} ({kind!r})' for kind in kinds)
      raise ValueError(f'level has no {names}: {game} needs at least one.')

  def refuse(self, kinds: str, game: str) -> None:
    """Checks that there is no cell of these kinds.

    Args:
      kinds: characters.
      game: that gives them no meaning, for the error.

    Raises:
      ValueError: there is one.
    """
    for kind in kinds:
      if self.mask(kind).any():
        raise ValueError(
          f'level has a {_LEGEND[kind]} ({kind!r}) at {self.where(kind)}: '
          f'{game} has none.'
        )

  def _check_walls(self) -> None:
    """Checks that the border is wall, and that nothing else is."""
    ring = np.ones(self.shape, bool)
    ring[1:-1, 1:-1] = False
    walls = self.mask(WALL)
    if (ring & ~walls).any():
      raise ValueError(
        f'level has a hole in its outer wall at {_place(ring & ~walls)}: every '
        f'cell on the border must be {WALL!r}.'
      )
    if (walls & ~ring).any():
      raise ValueError(
        f'level has {WALL!r} inside of its outer wall at '
        f'{_place(walls & ~ring)}: inner walls must be {INNER_WALL!r}.'
      )

  @functools.cached_property
  def _cells(self) -> np.ndarray:
    return np.array([list(line) for line in self.text.splitlines()])


def _place(mask: np.ndarray) -> str:
  """Describes the place of the first cell of a mask."""
  row, column = np.argwhere(mask)[0]
  return f'row {row}, column {column}'


CLEANUP = Level("""
##################
#~~~~~~.....aaaaa#
#wwwwww......aaaa#
#~~~~~~.....aaaaa#
#~~~~~..+....aaaa#
#~~~~~....+.aaaaa#
#wwwww.......aaaa#
#~~~~~......aaaaa#
#wwwwwwssssssaaaa#
#wwwwwwssssssaaaa#
#~~~~~...+.+.aaaa#
#wwwww...+..aaaaa#
#~~~~~~....+.aaaa#
#wwwwww.+...aaaaa#
#~~~~~.......aaaa#
#wwww....+..aaaaa#
#~~~~~.......aaaa#
#wwwww..+.+.aaaaa#
#~~~~~.......aaaa#
#wwww.......aaaaa#
#~~~~~.......aaaa#
#wwwww......aaaaa#
#~~~~~.......aaaa#
#wwww.......aaaaa#
##################
""")

HARVEST = Level("""
######################################
#.+...+......a....+.aaaaa....+..a.+..#
#..+.....a.+.aa....+....aaa....a..a..#
#.....a.aaa..aaa....a....a.aa.aaaa...#
#.a..aaa.a....a..a.aaa..a..a...a.a...#
#aaa..a.a....a..aaa.a..aaa........a.+#
#.a.a..aaa..aaa..a.a....a.aa...aa.aa.#
#..a.a..aaa....a.a..aaa....aaa..a....#
#...aaa..a......aaa..a....aaaa.......#
#.+..a.......a..a.aaa....a..a......+.#
#a..aaa..a..a..aaa.a....aaaa.....+...#
#....a.a...aaa..a.a......a.aa...a..+.#
#.....aaa...a.a..aaa......aa...aaa.+.#
#.a....a.....aaa..a..+..........a....#
#.......+.....a.........+..+.+.....+.#
######################################
""")

# 18 cells of river, 9 of them polluted, and 18 apple cells.
CLEANUP_SMALL = Level("""
############
#ww~..+.aaa#
#w~~.+..aaa#
#ww~....aaa#
#w~~.+..aaa#
#ww~....aaa#
#w~~..+.aaa#
############
""")

# Four patches of five apple cells: agents that take all that they can reach
# empty the map for good within some 15 steps.
HARVEST_SMALL = Level("""
############
#+.a....a.+#
#.aaa..aaa.#
#..a.++.a..#
#..a.++.a..#
#.aaa..aaa.#
#+.a....a.+#
############
""")

# One part for agent 0, above, and one for agent 1, below in its box.
BOX_TRAPPED = Level("""
#########
#aaaaaaa#
#aaa+aaa#
#xxxxxxx#
#aaaaaaa#
#aaaaaaa#
#xxxddxx#
#xxx+axx#
#########
""")
