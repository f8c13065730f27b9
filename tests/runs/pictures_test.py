"""Tests of videos, of what agents see beside them, and of the matrix."""

import numpy as np
import pytest
from imageio import v3 as imageio

from influence_acme.runs import pictures


def test_frames_are_read_as_they_were_written(tmp_path):
  # Frames 1 to 3 are the same, and so are 5 and 6.
  greys = [0, 10, 10, 10, 20, 30, 30]
  path = tmp_path / 'a.gif'
  frames = (np.full((2, 3, 3), grey, np.uint8) for grey in greys)
  pictures.write_video(path, frames)
  found = [(x, count) for x, count in pictures.read_video(path)]
  assert [(np.unique(x).tolist(), count) for x, count in found] == [
    ([0], 1),
    ([10], 3),
    ([20], 1),
    ([30], 2),
  ]
  assert found[0][0].shape == (2, 3, 3)


def test_a_still_may_last_as_long_as_it_likes(tmp_path):
  """65,535 hundredths of a second are 8,191 frames, and a bit."""
  still, other = np.zeros((2, 2, 3, 3), np.uint8)
  still[0, 0], other[1, 1] = (1, 2, 3), 99
  path = tmp_path / 'a.gif'
  frames = [other, *[still] * 16_400, other, *[still] * 8_191, other]
  pictures.write_video(path, frames)
  parts = list(pictures.read_video(path))
  assert [count for _, count in parts] == [1, 8191, 1, 8191, 1, 16, 1, 8191, 1]
  for i, (frame, _) in enumerate(parts):
    np.testing.assert_array_equal(frame, other if i in (0, 6, 8) else still)


def test_nothing_ever_moves(tmp_path):
  path = tmp_path / 'a.gif'
  still = np.full((2, 3, 3), 7, np.uint8)
  pictures.write_video(path, [still] * 9000)
  frames, counts = zip(*pictures.read_video(path), strict=True)
  assert sum(counts) == 9000
  np.testing.assert_array_equal(np.unique(frames), 7)


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


def test_what_agents_said_stands_above_the_next_views():
  frames = [np.zeros((150, 6, 3), np.uint8)] * 3
  views = np.zeros((3, 2, 120, 120, 3), np.uint8)
  messages = np.array([[3, 8], [3, 1]])
  silent = list(pictures.with_views(frames, views))
  first, second, third = pictures.with_views(frames, views, messages)
  np.testing.assert_array_equal(first, silent[0])
  assert (second[:13] != silent[1][:13]).any()
  # Below the line of text, nothing differs; agent 0 says the same twice.
  for spoken, still in ((second, silent[1]), (third, silent[2])):
    np.testing.assert_array_equal(spoken[13:], still[13:])
  np.testing.assert_array_equal(second[:13, :134], third[:13, :134])
  assert (second[:13, 134:] != third[:13, 134:]).any()


def test_a_video_with_views_loses_no_colour(tmp_path):
  random = np.random.default_rng(0)
  colours = random.integers(0, 256, (40, 3), np.uint8)
  frames = list(colours[random.integers(0, 40, (5, 160, 90))])
  views = colours[random.integers(0, 40, (5, 4, 15, 15))]
  path = tmp_path / 'a.gif'
  pictures.write_video(path, pictures.with_views(frames, views))
  expected = np.stack(list(pictures.with_views(frames, views)))
  np.testing.assert_array_equal(imageio.imread(path), expected)


def test_a_video_shows_each_pixel_as_it_was(tmp_path):
  colours = np.random.default_rng(0).integers(0, 256, (40, 3), np.uint8)
  tiles = np.random.default_rng(1).integers(0, 40, (7, 10, 12))
  frames = colours[tiles].repeat(4, axis=1).repeat(4, axis=2)
  pictures.write_video(tmp_path / 'a.gif', list(frames))
  np.testing.assert_array_equal(imageio.imread(tmp_path / 'a.gif'), frames)


def test_a_video_of_nothing(tmp_path):
  with pytest.raises(ValueError, match='at least one frame'):
    pictures.write_video(tmp_path / 'a.gif', [])


@pytest.mark.parametrize('scale', [0.0, 1e-12, 1e-3, 1e3])
def test_a_matrix_of_any_size(tmp_path, scale):
  path = tmp_path / 'matrix.png'
  pictures.write_influence_matrix(
    path, np.full((2, 2), scale), ('agent_0', 'agent_1')
  )
  text = path.with_suffix('.csv').read_text().splitlines()
  assert text[1] == f'agent_0,,{scale:.6g}'
  assert imageio.imread(path).any()
  found = pictures.read_influence_matrix(path)
  assert found is not None and found[0] == ('agent_0', 'agent_1')
  np.testing.assert_array_equal(found[1], [[np.nan, scale], [scale, np.nan]])


def test_no_matrix(tmp_path):
  assert pictures.read_influence_matrix(tmp_path / 'matrix.png') is None


def test_a_matrix_that_does_not_fit(tmp_path):
  with pytest.raises(ValueError, match=r'must be \[3, 3\].*it is \[2, 2\]'):
    pictures.write_influence_matrix(
      tmp_path / 'a.png', np.zeros((2, 2)), ('agent_0', 'agent_1', 'agent_2')
    )


def test_the_strength_of_a_colour_by_hand():
  shares = pictures.strength(np.array([0, 0.01, 0.1, 1, 5]))
  np.testing.assert_allclose(shares, [0, 0, 0.5, 1, 1])
