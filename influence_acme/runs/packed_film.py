"""Packs a film for a page: the squares that it is made of, and where they lie.

A map is drawn of few squares, so that they and a number for each place of each
frame take a tenth of the film's file, and any frame can be shown at once.

Letters: F frames, H x W pixels, R x C squares.
"""

import base64
import io
import os
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from influence_acme.runs import pictures

SQUARE = 8  # Pixels on each side.
_ATLAS_COLUMNS = 64
_MOST_SQUARES = 1 << 16
_MOST_BYTES = 1_200_000  # Of a film; text makes 4/3 of it.


class Film(NamedTuple):
  """A packed film.

  Attributes:
    width: W, in pixels.
    height: H.
    columns: C; the last one may be cut off, as may the last row.
    atlas: PNG of the squares as base64, 64 a row.
    places: base64 of the numbers of squares, uint16 [F, R, C], as differences
      from the frame before, all low bytes before all high bytes, deflated.
    every: how many steps of the episode lie between two frames.
    last_step: of the episode, counted from 0.
    colours: that it has, as '#RRGGBB'.
  """

  width: int
  height: int
  columns: int
  atlas: str
  places: str
  every: int
  last_step: int
  colours: frozenset[str]


def pack(path: str | os.PathLike[str]) -> Film:
  """Packs a film of `pictures.write_video`.

  It has each step or, if that takes too much room, fewer.
  """
  squares, places, (height, width) = _read(path)
  every, numbers = 1, np.stack(places)  # [F, R, C]
  while True:
    some = numbers[::every]
    used, indices = np.unique(some, return_inverse=True)
    if len(used) <= _MOST_SQUARES or len(some) == 1:
      atlas = _draw([squares[i] for i in used])
      deflated = _deflate(indices.reshape(some.shape).astype(np.uint16))
      if len(deflated) + len(atlas) <= _MOST_BYTES or len(some) == 1:
        break
    every *= 2
  pixels = np.frombuffer(b''.join(squares), np.uint8).reshape(-1, 3)
  return Film(
    width,
    height,
    numbers.shape[2],
    base64.b64encode(atlas).decode(),
    base64.b64encode(deflated).decode(),
    every,
    len(numbers) - 1,
    frozenset(
      '#' + bytes(x.tolist()).hex().upper() for x in np.unique(pixels, axis=0)
    ),
  )


def _read(
  path: str | os.PathLike[str],
) -> tuple[list[bytes], list[np.ndarray], tuple[int, int]]:
  """Returns all squares, the places [R, C] of each frame, and (H, W)."""
  squares: dict[bytes, int] = {}
  places: list[np.ndarray] = []
  shape = 0, 0
  before = None
  for frame, count in pictures.read_video(path):
    shape = frame.shape[0], frame.shape[1]
    padding = [(0, -size % SQUARE) for size in shape]
    padded = np.pad(frame, [*padding, (0, 0)], mode='edge')
    rows, columns = (size // SQUARE for size in padded.shape[:2])
    cut = padded.reshape(rows, SQUARE, columns, SQUARE, 3).swapaxes(1, 2)
    now = places[-1].copy() if places else np.zeros((rows, columns), np.int64)
    changed = (
      np.ones((rows, columns), bool)
      if before is None
      else (cut != before).any(axis=(2, 3, 4))
    )
    for row, column in np.argwhere(changed):
      square = cut[row, column].tobytes()
      now[row, column] = squares.setdefault(square, len(squares))
    places += [now] * count
    before = cut
  return list(squares), places, shape


def _deflate(indices: np.ndarray) -> bytes:
  """Returns what `Film.places` is in base64, of uint16 [F, R, C]."""
  differences = np.diff(indices, axis=0, prepend=np.zeros_like(indices[:1]))
  data = np.stack([differences & 255, differences >> 8]).astype(np.uint8)
  return zlib.compress(data.tobytes(), 9)


def _draw(squares: list[bytes]) -> bytes:
  """Returns a PNG of the squares."""
  rows = -(-len(squares) // _ATLAS_COLUMNS)
  atlas = np.zeros((rows * _ATLAS_COLUMNS, SQUARE, SQUARE, 3), np.uint8)
  flat = np.frombuffer(b''.join(squares), np.uint8)
  atlas[: len(squares)] = flat.reshape(-1, SQUARE, SQUARE, 3)
  grid = atlas.reshape(rows, _ATLAS_COLUMNS, SQUARE, SQUARE, 3).swapaxes(1, 2)
  picture = Image.fromarray(
    grid.reshape(rows * SQUARE, _ATLAS_COLUMNS * SQUARE, 3)
  )
  file = io.BytesIO()
  picture.save(file, 'png', optimize=True)
  return file.getvalue()
