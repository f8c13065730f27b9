"""Harvest's own rules, one by one."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import palette
from influence_acme.environments import harvest
from influence_acme.environments.grid import levels, moves, render

SHAPE = (16, 38)
ORCHARD = levels.HARVEST.mask('a')
STAY, FIRE = moves.Action.STAY, moves.Action.FIRE
# The lowest words let apples grow wherever they can, the highest nowhere.
ALL, NONE = np.zeros(SHAPE, np.uint32), np.full(SHAPE, 0xFFFFFFFF, np.uint32)
# An apple cell with seven apple cells around it; (3, 32) is another.
CELL = (2, 13)
AROUND = [(1, 13), (2, 14), (3, 13), (3, 14)]
FAR = [((14, 2), moves.RIGHT), ((14, 20), moves.UP)]


def mask(*cells):
  grid = np.zeros(SHAPE, bool)
  for cell in cells:
    grid[cell] = True
  return grid


@functools.cache
def compiled(num_agents):
  env = harvest.Harvest(num_agents=num_agents)
  return env, jax.jit(env.play)


def play(agents, actions, *, apples, words=NONE):
  """Plays one step of agents given as (position, heading)."""
  env, fn = compiled(len(agents))
  draws = env.draw(jax.random.PRNGKey(0))
  state = env.start(jax.random.PRNGKey(1), draws)
  state = state._replace(
    positions=jnp.array([position for position, _ in agents], jnp.int32),
    headings=jnp.array([heading for _, heading in agents], jnp.int32),
    apples=jnp.asarray(apples),
  )
  return fn(state, jnp.array(actions), draws._replace(cells=words))


def grow(apples, word):
  words = np.full(SHAPE, word, np.uint32)
  return np.asarray(harvest.Harvest().grow(jnp.asarray(apples), words))


# Growth.


@pytest.mark.parametrize(
  ('count', 'chance'), [(1, 0.005), (2, 0.02), (3, 0.05), (4, 0.05)]
)
def test_the_chance_of_an_apple_by_the_apples_around(count, chance):
  for near in itertools.combinations(AROUND, count):
    for factor, grows in ((0.999, True), (1.001, False)):
      new = grow(mask(*near), int(factor * chance * 2**32))
      assert new[CELL] == grows


def test_nothing_grows_where_no_apple_is_near():
  assert not grow(mask(), 0).any()


def test_all_eight_neighbours_count_and_nothing_further_away():
  for row, column in np.argwhere(ORCHARD):
    expected = mask()
    expected[row - 1 : row + 2, column - 1 : column + 2] = True
    np.testing.assert_array_equal(
      grow(mask((row, column)), 0), expected & ORCHARD
    )


def test_the_chance_on_every_cell_of_a_random_map():
  apples = ORCHARD & (np.random.default_rng(0).random(SHAPE) < 0.4)
  chances = np.zeros(SHAPE)
  for row, column in np.argwhere(ORCHARD & ~apples):
    count = apples[row - 1 : row + 2, column - 1 : column + 2].sum()
    chances[row, column] = {0: 0, 1: 0.005, 2: 0.02}.get(count, 0.05)
  assert {0, 0.005, 0.02, 0.05} == set(chances[ORCHARD & ~apples])
  for chance in (0.0049, 0.0051, 0.0199, 0.0201, 0.0499, 0.0501):
    new = grow(apples, int(chance * 2**32)) & ~apples
    np.testing.assert_array_equal(new, chances > chance)


def test_three_cells_never_get_their_apple_back():
  lonely = mask()
  for row, column in np.argwhere(ORCHARD):
    around = ORCHARD[row - 1 : row + 2, column - 1 : column + 2]
    lonely[row, column] = around.sum() == 1
  assert lonely.sum() == 3
  agents, actions = FAR, [STAY, STAY]
  state, _ = play(agents, actions, apples=ORCHARD & ~lonely, words=ALL)
  np.testing.assert_array_equal(state.apples, ORCHARD & ~lonely)
  state, _ = play(agents, actions, apples=ORCHARD, words=NONE)
  np.testing.assert_array_equal(state.apples, ORCHARD)


def test_new_apples_do_not_help_others_in_the_same_step():
  # Three in a row: the last one must wait for the one in the middle.
  state, _ = play(FAR, [STAY, STAY], apples=mask((1, 20)), words=ALL)
  assert state.apples[1, 21]
  assert not state.apples[1, 22]


def test_no_apple_grows_under_an_agent():
  agents = [(CELL, moves.UP), ((14, 20), moves.UP)]
  state, reward = play(agents, [STAY, STAY], apples=mask(*AROUND), words=ALL)
  assert not state.apples[CELL]
  assert state.apples[3, 15]  # Beside two of them, and free.
  np.testing.assert_array_equal(reward, [0, 0])


def test_an_eaten_apple_does_not_help_in_the_same_step():
  # (5, 16) to (5, 18) are apple cells; the only apple is eaten.
  agents = [((5, 15), moves.RIGHT), ((14, 20), moves.UP)]
  state, reward = play(agents, [2, STAY], apples=mask((5, 16)), words=ALL)
  np.testing.assert_array_equal(reward, [1, 0])
  assert not np.any(state.apples)


# Eating and firing.


@pytest.mark.parametrize('action', range(STAY, 8))
def test_eating_takes_no_action(action):
  agents = [(CELL, moves.UP), ((14, 20), moves.UP)]
  state, reward = play(agents, [action, STAY], apples=mask(CELL))
  np.testing.assert_array_equal(reward, [1 - (action == FIRE), 0])
  assert not np.any(state.apples)


def test_fire_is_the_last_action():
  assert harvest.Harvest().num_actions == FIRE + 1 == 8


def test_firing_costs_one_and_every_hit_fifty():
  agents = [((14, 20), moves.RIGHT), ((14, 22), moves.LEFT)]
  agents += [((14, 23), moves.UP)]
  for actions, expected in [
    ([FIRE, STAY, STAY], [-1, -50, 0]),
    ([FIRE, FIRE, STAY], [-51, -51, 0]),
    ([STAY, STAY, FIRE], [0, -50, -1]),  # A side lane starts beside it.
    ([FIRE, STAY, FIRE], [-1, -100, -1]),
  ]:
    _, reward = play(agents, actions, apples=mask())
    np.testing.assert_array_equal(reward, expected)


def test_firing_leaves_apples_and_victims_where_they_are():
  agents = [((2, 20), moves.RIGHT), ((2, 25), moves.UP)]
  apples = ORCHARD & ~mask((2, 25))
  state, _ = play(agents, [FIRE, STAY], apples=apples)
  np.testing.assert_array_equal(state.apples, apples)
  np.testing.assert_array_equal(state.positions, [(2, 20), (2, 25)])


def test_pictures_show_apples_beams_and_agents():
  env, _ = compiled(2)
  state, _ = play(
    [((13, 24), moves.RIGHT), ((2, 2), moves.UP)], [FIRE, STAY], apples=ORCHARD
  )
  image = env.render(state)
  assert image.shape == (16 * 16, 38 * 16, 3)
  # Beside the numbers of agents.
  inner = image[8::16, 3::16]
  fining, apple = (render.SHOWN[x][1] for x in ('fining beam', 'apple'))
  assert (inner == fining).all(axis=-1).sum() == 15
  hidden = np.asarray(state.marks > 0) & ORCHARD
  assert (inner == apple).all(axis=-1).sum() == 155 - hidden.sum()
  assert tuple(inner[13, 24]) == palette.rgb(palette.AGENTS[0])
  assert tuple(inner[2, 2]) == palette.rgb(palette.AGENTS[1])
