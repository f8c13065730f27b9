"""Renders the whole map for display, with agents that show their heading."""

import chex
import numpy as np

from influence_acme.environments.grid import colours

CELL = 16  # Pixels; video codecs like multiples of 16.


def render(
  picture: chex.Array, positions: chex.Array, headings: chex.Array
) -> np.ndarray:
  """Draws the map at 16 x 16 pixels a cell.

  Args:
    picture: uint32 [R, C], packed colours, without the agents.
    positions: int32 [N, 2].
    headings: int32 [N].

  Returns:
    uint8 [16 R, 16 C, 3].
  """
  image = np.array(colours.unpack(picture))
  image = image.repeat(CELL, axis=0).repeat(CELL, axis=1)
  # A faint grid, so that cells can be counted.
  for lines in (image[::CELL], image[:, ::CELL]):
    lines[:] = lines * 0.8 + 12
  body, nose = _agent_looking_up()
  corners = np.asarray(positions) * CELL
  for i, (row, column) in enumerate(corners):
    cell = image[row : row + CELL, column : column + CELL]
    colour = colours.AGENTS[i]
    cell[body] = colour
    # Headings count clockwise from up, rot90 counter-clockwise.
    bright = sum(colour) > 384
    cell[np.rot90(nose, -int(headings[i]))] = 0 if bright else 255
  return image


def _agent_looking_up() -> tuple[np.ndarray, np.ndarray]:
  """Returns the pixels of body and nose in a cell, bool [16, 16] each."""
  rows, columns = np.mgrid[:CELL, :CELL] - (CELL - 1) / 2
  disc = rows**2 + columns**2 < 7.5**2
  nose = np.abs(columns) < (rows + 8) / 2
  return disc, nose & (rows < -1)
