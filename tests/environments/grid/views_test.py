import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.environments.grid import colours, moves, views

RED = (255, 0, 0)
AHEAD = {
  moves.UP: (-1, 0),
  moves.RIGHT: (0, 1),
  moves.DOWN: (1, 0),
  moves.LEFT: (0, -1),
}
# Where the cell three ahead and one to the right lies, by heading.
MARKERS = {
  moves.UP: (-3, 1),
  moves.RIGHT: (1, 3),
  moves.DOWN: (3, -1),
  moves.LEFT: (-1, -3),
}


def observe(picture, positions, headings):
  return np.asarray(
    jax.jit(views.observe)(
      jnp.asarray(picture), jnp.array(positions), jnp.array(headings)
    )
  )


@pytest.mark.parametrize('heading', range(4))
def test_ahead_is_at_the_top(heading):
  picture = np.zeros((30, 25), np.uint32)
  row, column = MARKERS[heading]
  picture[12 + row, 11 + column] = colours.pack(RED)
  view = observe(picture, [(12, 11)], [heading])[0]
  assert view.shape == (15, 15, 3)
  assert view.dtype == np.uint8
  assert np.argwhere(view.any(axis=-1)).tolist() == [[7 - 3, 7 + 1]]
  assert tuple(view[4, 8]) == RED


@pytest.mark.parametrize('heading', range(4))
def test_every_cell_of_the_view(heading):
  rng = np.random.default_rng(heading)
  picture = rng.integers(1, 2**24, (25, 18), np.uint32)
  position = (3, 15)  # The view sticks out at the top and on the right.
  view = observe(picture, [position], [heading])[0]
  down, right = AHEAD[heading]
  for i in range(15):
    for j in range(15):
      row = position[0] + (7 - i) * down + (j - 7) * right
      column = position[1] + (7 - i) * right - (j - 7) * down
      if 0 <= row < 25 and 0 <= column < 18:
        packed = int(picture[row, column])
        expected = [packed & 255, packed >> 8 & 255, packed >> 16]
      else:
        expected = [0, 0, 0]
      assert view[i, j].tolist() == expected


def test_every_agent_has_its_own_view():
  picture = np.arange(25 * 18, dtype=np.uint32).reshape(25, 18)
  positions, headings = [(1, 1), (12, 9), (23, 16)], [0, 1, 2]
  together = observe(picture, positions, headings)
  for i in range(3):
    alone = observe(picture, positions[i : i + 1], headings[i : i + 1])
    np.testing.assert_array_equal(together[i], alone[0])


def test_visible_within_seven_cells():
  positions = jnp.array([(10, 10), (3, 17), (10, 2), (18, 10), (17, 3)])
  expected = np.zeros((5, 5), bool)
  expected[0, [1, 4]] = expected[[1, 4], 0] = True  # 7 away in both axes.
  expected[2, 4] = expected[4, 2] = True  # (7, 1) away.
  expected[3, 4] = expected[4, 3] = True  # (1, 7) away.
  np.testing.assert_array_equal(views.visible(positions), expected)


def test_an_agent_sees_nobody_if_alone():
  np.testing.assert_array_equal(views.visible(jnp.array([[4, 4]])), [[False]])
