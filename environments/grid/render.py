"""Renders the whole map for people, in true colours.

Agents see the published colours, in which waste is blue and water brown; see
`colours`. Agents show their number, and their heading by a nose.
"""

import chex
import numpy as np

from influence_acme import palette
from influence_acme.environments.grid import colours

CELL = 16  # Pixels; video codecs like multiples of 16.
# Thing -> the colour that agents see, and the one that is shown to people.
SHOWN: dict[str, tuple[colours.RGB, colours.RGB]] = {
  'floor': (colours.FLOOR, (28, 30, 34)),
  'wall': (colours.WALL, (150, 150, 150)),
  'water': (colours.WATER, (96, 165, 224)),
  'waste': (colours.WASTE, (110, 72, 30)),
  'apple': (colours.APPLE, (60, 200, 80)),
  'shut door': (colours.SHUT, (128, 0, 0)),
  'door that fell shut': (colours.AJAR, (255, 128, 128)),
  'cleaning beam': (colours.CLEANING, (255, 255, 255)),
  'fining beam': (colours.FIRING, (255, 255, 0)),
}
# The digits on 5 rows of 3 pixels, each row as a number of 3 bits.
_DIGITS = (
  (7, 5, 5, 5, 7),
  (2, 6, 2, 2, 7),
  (7, 1, 7, 4, 7),
  (7, 1, 7, 1, 7),
  (5, 5, 7, 1, 1),
  (7, 4, 7, 1, 7),
  (7, 4, 7, 5, 7),
  (7, 1, 2, 2, 2),
  (7, 5, 7, 5, 7),
  (7, 5, 7, 1, 7),
)


def render(
  picture: chex.Array, positions: chex.Array, headings: chex.Array
) -> np.ndarray:
  """Draws the map at 16 x 16 pixels a cell.

  Args:
    picture: uint32 [R, C], packed colours as agents see them, without the
      agents; those that are not in `SHOWN` stay as they are.
    positions: int32 [N, 2].
    headings: int32 [N].

  Returns:
    uint8 [16 R, 16 C, 3].
  """
  image = np.array(colours.unpack(picture))
  for seen, shown in SHOWN.values():
    image[np.asarray(picture) == colours.pack(seen)] = shown
  image = image.repeat(CELL, axis=0).repeat(CELL, axis=1)
  # A faint grid, so that cells can be counted.
  for lines in (image[::CELL], image[:, ::CELL]):
    lines[:] = lines * 0.8 + 12
  body, nose = _agent_looking_up()
  corners = np.asarray(positions) * CELL
  for i, (row, column) in enumerate(corners):
    cell = image[row : row + CELL, column : column + CELL]
    cell[body] = palette.rgb(palette.AGENTS[i])
    # Headings count clockwise from up, rot90 counter-clockwise.
    cell[np.rot90(nose, -int(headings[i]))] = 255
    cell[_number(i)] = 255
  return image


def _agent_looking_up() -> tuple[np.ndarray, np.ndarray]:
  """Returns the pixels of body and nose in a cell, bool [16, 16] each."""
  rows, columns = np.mgrid[:CELL, :CELL] - (CELL - 1) / 2
  disc = rows**2 + columns**2 < 7.5**2
  nose = np.abs(columns) < rows + 8
  return disc, nose & (rows < -4)


def _number(number: int) -> np.ndarray:
  """Returns the pixels of a number in the middle of a cell, bool [16, 16]."""
  bits = [
    [np.array(_DIGITS[int(digit)])[:, None] >> [2, 1, 0] & 1, np.zeros((5, 1))]
    for digit in str(number)
  ]
  pixels = np.concatenate(sum(bits, []), axis=1)[:, :-1]  # [5, 3 or 7]
  height, width = pixels.shape
  where = np.zeros((CELL, CELL), bool)
  top, left = (CELL - height) // 2 + 1, (CELL - width) // 2
  where[top : top + height, left : left + width] = pixels
  return where
