import itertools

import numpy as np
import pytest

from influence_acme import palette
from influence_acme.environments.grid import colours, moves, render

PICTURE = np.array([[0, colours.pack(colours.APPLE)], [0, 0]], np.uint32)


def draw(heading):
  return render.render(PICTURE, np.array([[1, 0]]), np.array([heading]))


def test_shape_and_cells():
  image = draw(moves.UP)
  assert image.shape == (32, 32, 3)
  assert image.dtype == np.uint8
  assert tuple(image[8, 24]) == (60, 200, 80)
  assert tuple(image[24, 24]) == (28, 30, 34)
  assert tuple(image[24, 4]) == palette.rgb(palette.AGENTS[0])


def test_the_nose_points_ahead():
  """Nose and number are the only white in the cell; the number stays."""
  centres = {}
  whites = [(draw(x)[16:, :16] == 255).all(axis=-1) for x in range(4)]
  number = np.logical_and.reduce(whites)
  for heading, white in enumerate(whites):
    centres[heading] = np.argwhere(white & ~number).mean(axis=0) - 7.5
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


def test_names_are_those_of_the_colours():
  """By hue: clean water is blue, waste is brown, apples are green."""
  shown = {name: rgb for name, (_, rgb) in render.SHOWN.items()}
  red, green, blue = shown['water']
  assert blue > green > red and blue - red > 100
  red, green, blue = shown['waste']
  assert red > green > blue and red < 160
  red, green, blue = shown['apple']
  assert green > red + 100 and green > blue + 100
  assert shown['cleaning beam'] == (255, 255, 255)
  assert shown['fining beam'] == (255, 255, 0)


@pytest.mark.parametrize('name', list(render.SHOWN))
def test_each_thing_is_shown_in_its_colour(name):
  seen, shown = render.SHOWN[name]
  picture = np.full((1, 2), colours.pack(seen), np.uint32)
  image = render.render(picture, np.array([[0, 0]]), np.array([0]))
  assert tuple(image[8, 24]) == shown


def test_other_colours_stay_as_they_are():
  picture = np.full((1, 2), colours.pack((1, 2, 3)), np.uint32)
  image = render.render(picture, np.array([[0, 0]]), np.array([0]))
  assert tuple(image[8, 24]) == (1, 2, 3)


def test_what_is_shown_can_be_told_apart():
  agents = [palette.rgb(x) for x in palette.AGENTS]
  assert len(agents) == len(colours.AGENTS)
  shown = [rgb for _, rgb in render.SHOWN.values()]
  for one, other in itertools.combinations([*shown, *agents], 2):
    assert np.abs(np.subtract(one, other)).max() >= 32, (one, other)


def test_agents_stand_out_from_light_and_dark_pages():
  def luminance(rgb):
    x = np.array(rgb) / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]

  dark = luminance((0x17, 0x19, 0x1C))
  for colour in palette.AGENTS:
    own = luminance(palette.rgb(colour))
    assert 1.05 / (own + 0.05) >= 3, colour
    assert (own + 0.05) / (dark + 0.05) >= 3, colour


def test_agents_show_their_numbers():
  image = render.render(
    np.zeros((1, 20), np.uint32),
    np.array([(0, i) for i in range(20)]),
    np.zeros(20, int),
  )
  cells = (image.reshape(16, 20, 16, 3).swapaxes(0, 1) == 255).all(axis=-1)
  # Agent 1, below the nose: a 1 on five rows of three pixels.
  assert cells[1][6:11, 6:9].astype(int).tolist() == [
    [0, 1, 0],
    [1, 1, 0],
    [0, 1, 0],
    [0, 1, 0],
    [1, 1, 1],
  ]
  # Agent 17 has the 1 further left, and the 7 beside it.
  np.testing.assert_array_equal(cells[17][6:11, 4:7], cells[1][6:11, 6:9])
  np.testing.assert_array_equal(cells[17][6:11, 8:11], cells[7][6:11, 6:9])
  assert len({cell.tobytes() for cell in cells}) == 20
