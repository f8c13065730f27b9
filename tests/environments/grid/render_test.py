import numpy as np

from influence_acme.environments.grid import colours, moves, render

PICTURE = np.array([[0, colours.pack(colours.APPLE)], [0, 0]], np.uint32)


def draw(heading):
  return render.render(PICTURE, np.array([[1, 0]]), np.array([heading]))


def test_shape_and_cells():
  image = draw(moves.UP)
  assert image.shape == (32, 32, 3)
  assert image.dtype == np.uint8
  assert tuple(image[8, 24]) == colours.APPLE
  assert tuple(image[24, 24]) == colours.FLOOR
  assert tuple(image[24, 8]) == colours.AGENTS[0]


def test_the_nose_points_ahead():
  """Agent 0 is blue: its nose is the only white in its cell."""
  centres = {}
  for heading in range(4):
    cell = draw(heading)[16:, :16]
    nose = np.argwhere((cell == 255).all(axis=-1))
    centres[heading] = nose.mean(axis=0) - 7.5
  assert centres[moves.UP][0] < -2
  assert centres[moves.DOWN][0] > 2
  assert centres[moves.LEFT][1] < -2
  assert centres[moves.RIGHT][1] > 2
  for heading, (row, column) in centres.items():
    across = column if heading in (moves.UP, moves.DOWN) else row
    assert abs(across) < 0.5


def test_the_picture_is_not_changed():
  before = PICTURE.copy()
  draw(moves.UP)
  np.testing.assert_array_equal(PICTURE, before)
