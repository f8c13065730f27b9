"""Colours the map.

A picture of the map holds one number a cell, the packed colour, so that it can
be cut and turned like any array of cells. Letters: N agents, R x C the map.
"""

from collections.abc import Sequence

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme.environments.grid import beams, levels

RGB = tuple[int, int, int]

FLOOR: RGB = (0, 0, 0)
WALL: RGB = (180, 180, 180)
WATER: RGB = (113, 75, 24)  # The clean river, and the stream.
WASTE: RGB = (99, 156, 194)
APPLE: RGB = (0, 255, 0)
SHUT: RGB = (128, 0, 0)  # A door.
AJAR: RGB = (255, 128, 128)  # A door that was open and fell shut.
CLEANING: RGB = (255, 255, 255)
FIRING: RGB = (255, 255, 0)
AGENTS: tuple[RGB, ...] = (
  (0, 0, 255),
  (2, 81, 154),
  (204, 0, 204),
  (216, 30, 54),
  (254, 151, 0),
  (100, 255, 255),
  (99, 99, 255),
  (250, 204, 255),
  (238, 223, 16),
  (0, 128, 96),
  (0, 255, 128),
  (96, 0, 128),
  (128, 255, 64),
  (224, 96, 255),
  (0, 192, 255),
  (64, 160, 0),
  (160, 160, 64),
  (224, 255, 128),
  (128, 96, 128),
  (0, 96, 0),
)


def pack(rgb: RGB) -> np.uint32:
  """Returns a colour as one number, red in its lowest byte."""
  red, green, blue = rgb
  return np.uint32(red | green << 8 | blue << 16)


def unpack(packed: chex.Array) -> chex.Array:
  """Returns uint8 [..., 3] for packed colours, uint32 [...]."""
  shifts = np.array([0, 8, 16], np.uint32)
  return (packed[..., None] >> shifts).astype(jnp.uint8)


def background(level: levels.Level) -> np.ndarray:
  """Draws an empty level, uint32 [R, C]."""
  water = level.mask(levels.WATER + levels.WASTE + levels.STREAM)
  picture = np.where(water, pack(WATER), pack(FLOOR))
  walls = level.mask(levels.WALL + levels.INNER_WALL)
  return np.where(walls, pack(WALL), picture)


def paint(
  picture: chex.Array,
  layers: Sequence[tuple[chex.Array, RGB]],
  marks: chex.Array | None = None,
) -> chex.Array:
  """Draws objects and beams on a picture.

  Args:
    picture: uint32 [R, C], packed colours.
    layers: (mask, colour) of each kind of object, the lowest first; the mask is
      bool [R, C].
    marks: uint8 [R, C], the beams, see `beams.marks`; they cover the objects.
      None in a game without beams.

  Returns:
    uint32 [R, C], packed colours.
  """
  layers = list(layers)
  if marks is not None:
    layers.append((marks == beams.CLEANING, CLEANING))
    layers.append((marks == beams.FIRING, FIRING))
  for where, colour in layers:
    picture = jnp.where(where, pack(colour), picture)
  return picture


def paint_agents(picture: chex.Array, positions: chex.Array) -> chex.Array:
  """Draws the agents on a picture.

  Args:
    picture: uint32 [R, C], packed colours.
    positions: int32 [N, 2].

  Returns:
    uint32 [R, C], packed colours.
  """
  palette = np.array([pack(rgb) for rgb in AGENTS[: len(positions)]])
  return picture.at[positions[:, 0], positions[:, 1]].set(palette)
