import itertools

import jax.numpy as jnp
import numpy as np

from influence_acme.environments.grid import beams, colours, levels

LEVEL = levels.Level('#####\n#.a~#\n#ws+#\n#####')


def rgb(picture, row, column):
  return tuple(np.asarray(colours.unpack(picture))[row, column].tolist())


def test_published_colours():
  assert colours.FLOOR == (0, 0, 0)
  assert colours.WALL == (180, 180, 180)
  assert colours.APPLE == (0, 255, 0)
  assert colours.WASTE == (99, 156, 194)
  assert colours.WATER == (113, 75, 24)
  assert colours.AGENTS[:9] == (
    (0, 0, 255),
    (2, 81, 154),
    (204, 0, 204),
    (216, 30, 54),
    (254, 151, 0),
    (100, 255, 255),
    (99, 99, 255),
    (250, 204, 255),
    (238, 223, 16),
  )


def test_all_colours_can_be_told_apart():
  things = [colours.FLOOR, colours.WALL, colours.APPLE, colours.WASTE]
  things += [colours.WATER, colours.CLEANING, colours.FIRING]
  things += [colours.SHUT, colours.AJAR]
  assert len(colours.AGENTS) == len(levels.HARVEST.starts)
  for one, other in itertools.combinations([*things, *colours.AGENTS], 2):
    assert np.abs(np.subtract(one, other)).max() >= 32, (one, other)


def test_unpack_undoes_pack():
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (20, 3)).tolist()
  packed = jnp.array([colours.pack((r, g, b)) for r, g, b in pixels])
  unpacked = colours.unpack(packed)
  assert unpacked.dtype == jnp.uint8
  np.testing.assert_array_equal(unpacked, pixels)


def test_background():
  picture = colours.background(LEVEL)
  assert picture.dtype == np.uint32
  assert rgb(picture, 0, 0) == colours.WALL
  assert rgb(picture, 1, 1) == colours.FLOOR
  assert rgb(picture, 1, 2) == colours.FLOOR  # An apple cell without apple.
  assert rgb(picture, 1, 3) == colours.WATER
  assert rgb(picture, 2, 1) == colours.WATER  # Waste is painted on it.
  assert rgb(picture, 2, 2) == colours.WATER
  assert rgb(picture, 2, 3) == colours.FLOOR


def test_inner_walls_look_like_walls():
  picture = colours.background(levels.Level('####\n#xd#\n####'))
  assert rgb(picture, 1, 1) == colours.WALL
  assert rgb(picture, 1, 2) == colours.FLOOR  # Doors are painted on it.


def test_a_game_without_beams():
  background = jnp.asarray(colours.background(LEVEL))
  where = jnp.zeros((4, 5), bool).at[1, 1].set(True)
  picture = colours.paint(background, [(where, colours.APPLE)])
  assert rgb(picture, 1, 1) == colours.APPLE
  assert rgb(picture, 1, 2) == colours.FLOOR


def test_layers_then_beams_then_agents():
  background = jnp.asarray(colours.background(LEVEL))
  marks = jnp.zeros((4, 5), jnp.uint8)
  marks = marks.at[1, 2].set(beams.FIRING).at[1, 3].set(beams.CLEANING)
  marks = marks.at[2, 3].set(beams.FIRING)
  below = jnp.zeros((4, 5), bool).at[1, 1].set(True).at[1, 2].set(True)
  above = jnp.zeros((4, 5), bool).at[1, 1].set(True)
  layers = [(below, colours.WASTE), (above, colours.APPLE)]
  picture = colours.paint(background, layers, marks)
  picture = colours.paint_agents(picture, jnp.array([[2, 3], [2, 1]]))
  assert rgb(picture, 1, 1) == colours.APPLE
  assert rgb(picture, 1, 2) == colours.FIRING
  assert rgb(picture, 1, 3) == colours.CLEANING
  assert rgb(picture, 2, 3) == colours.AGENTS[0]
  assert rgb(picture, 2, 1) == colours.AGENTS[1]
