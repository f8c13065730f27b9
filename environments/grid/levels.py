"""Map layouts, drawn as text.

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


@dataclasses.dataclass(frozen=True)
class Level:
  """A map with a wall around it.

  Moves and beams know that ring alone: a cell is drawn as WALL if and only if
  it lies on the border, so one comparison of coordinates replaces a look-up. A
  game on a map with other walls blocks them by itself, with `moves.keep_out`.

  Attributes:
    text: one line a row, one character (see above) a column.
  """

  text: str

  def __post_init__(self):
    """Checks what the rules rely on."""
    if len({len(line) for line in self.text.split()}) != 1:
      raise ValueError('text must have lines of one length.')
    ring = np.ones(self.shape, bool)
    ring[1:-1, 1:-1] = False
    if not np.array_equal(self.mask(WALL), ring):
      raise ValueError('text must have walls on its border and only there.')

  @property
  def shape(self) -> tuple[int, int]:
    """(R, C)."""
    rows, columns = self._cells.shape
    return rows, columns

  @property
  def starts(self) -> np.ndarray:
    """int32 [P, 2]: the (row, column) of every cell an agent can start on."""
    return np.argwhere(self.mask(START)).astype(np.int32)

  def mask(self, kinds: str) -> np.ndarray:
    """Returns bool [R, C]: the cell is drawn as one of these characters."""
    return np.isin(self._cells, list(kinds))

  @functools.cached_property
  def _cells(self) -> np.ndarray:
    return np.array([list(line) for line in self.text.split()])


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

# One part for agent 0, who starts above, and one for agent 1, below in its box.
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
