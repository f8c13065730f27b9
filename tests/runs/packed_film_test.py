"""Tests of films packed for a page."""

import base64
import zlib

import numpy as np
import pytest

from influence_acme.runs import packed_film, pictures

GREYS = [0, 10, 10, 20, 0]


@pytest.fixture(name='path')
def _path(tmp_path):
  """A film of 9 x 17 pixels, 2 x 3 squares: a grey, with one white pixel."""
  frames = np.zeros((len(GREYS), 9, 17, 3), np.uint8)
  frames += np.array(GREYS, np.uint8)[:, None, None, None]
  frames[:, 0, 0] = 255
  pictures.write_video(tmp_path / 'a.gif', list(frames))
  return tmp_path / 'a.gif'


def places(film):
  data = zlib.decompress(base64.b64decode(film.places))
  low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint16)
  return np.cumsum((low + 256 * high).reshape(-1, 2, film.columns), axis=0)


def test_each_frame_is_made_of_numbered_squares(path):
  film = packed_film.pack(path)
  assert (film.width, film.height, film.columns) == (17, 9, 3)
  assert (film.every, film.last_step) == (1, 4)
  # Of each grey one square with the white pixel, and one without.
  found = places(film)
  assert found.shape == (5, 2, 3)
  first = [0, 2, 2, 4, 0]
  np.testing.assert_array_equal(found[:, 0, 0] % 65536, first)
  np.testing.assert_array_equal(found[:, 1, 2] % 65536, np.array(first) + 1)
  assert film.colours == {'#000000', '#0A0A0A', '#141414', '#FFFFFF'}


def test_a_film_that_is_too_large_has_fewer_frames(path, monkeypatch):
  monkeypatch.setattr(packed_film, '_MOST_BYTES', 1)
  film = packed_film.pack(path)
  assert (film.every, film.last_step) == (8, 4)
  assert len(places(film)) == 1
