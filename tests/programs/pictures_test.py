"""Tests of videos: their frames, and what agents see beside them."""

import numpy as np
from imageio import v3 as imageio

from influence_acme.programs import pictures


def test_frames_are_read_as_they_were_written(tmp_path):
  # Frames 1 to 3 are the same, and so are 5 and 6.
  greys = [0, 10, 10, 10, 20, 30, 30]
  path = tmp_path / 'a.gif'
  frames = (np.full((2, 3, 3), grey, np.uint8) for grey in greys)
  pictures.write_video(path, frames)
  found = pictures.read_frames(path, [0, 2, 3, 4, 6, 7])
  assert {i: np.unique(np.asarray(x)).tolist() for i, x in found.items()} == {
    0: [0],
    2: [10],
    3: [10],
    4: [20],
    6: [30],
  }


def test_views_stand_beside_the_frame_in_columns():
  # A view of 2 x 3 pixels is shown 40 times as large, under a line of text of
  # 13 pixels and right of a gap of 8: two of them fit below each other.
  frame = np.full((200, 50, 3), 7, np.uint8)
  views = np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1, 1)
  views = np.broadcast_to(views, (1, 3, 2, 3, 3)).copy()
  views[0, 2, 1, 2] = 99  # The last pixel of agent 2.
  (shown,) = pictures.with_views([frame], views)
  assert shown.shape == (200, 50 + 2 * 128, 3)
  np.testing.assert_array_equal(shown[:, :50], frame)
  np.testing.assert_array_equal(shown[13:93, 58:178], 0)
  np.testing.assert_array_equal(shown[93 + 13 : 186, 58:178], 1)
  np.testing.assert_array_equal(shown[13:53, 186:306], 2)
  np.testing.assert_array_equal(shown[53:93, 266:306], 99)
  label = shown[:13, 58:178]
  assert label.max() == 255 and label.min() < 100


def test_a_view_that_is_higher_than_the_frame():
  frame = np.zeros((4, 6, 3), np.uint8)
  views = np.full((1, 2, 150, 10, 3), 5, np.uint8)
  (shown,) = pictures.with_views([frame], views)
  assert shown.shape == (163, 6 + 2 * 18, 3)
  np.testing.assert_array_equal(shown[13:, 14:24], 5)


def test_without_views_frames_stay_as_they_are():
  frames = [np.zeros((4, 6, 3), np.uint8), np.ones((4, 6, 3), np.uint8)]
  assert list(pictures.with_views(frames, None)) == frames


def test_a_video_with_views_loses_no_colour(tmp_path):
  random = np.random.default_rng(0)
  colours = random.integers(0, 256, (40, 3), np.uint8)
  frames = list(colours[random.integers(0, 40, (5, 160, 90))])
  views = colours[random.integers(0, 40, (5, 4, 15, 15))]
  path = tmp_path / 'a.gif'
  pictures.write_video(path, pictures.with_views(frames, views))
  expected = np.stack(list(pictures.with_views(frames, views)))
  np.testing.assert_array_equal(imageio.imread(path), expected)
