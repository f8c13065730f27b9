"""Cleanup's own rules, one by one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from influence_acme import palette
from influence_acme.environments import cleanup
from influence_acme.environments.grid import draws as draws_lib
from influence_acme.environments.grid import levels, moves, render

SHAPE = (25, 18)
ORCHARD = levels.CLEANUP.mask('a')
RIVER = levels.CLEANUP.mask('w~')
STAY, FIRE, CLEAN = moves.Action.STAY, moves.Action.FIRE, moves.Action.CLEAN
# The highest word keeps apples from growing.
NO_APPLES = np.full(SHAPE, 0xFFFFFFFF, np.uint32)


def mask(*cells):
  grid = np.zeros(SHAPE, bool)
  for cell in cells:
    grid[cell] = True
  return grid


def with_waste(num_cells):
  """Returns a map with waste on the river's first cells."""
  grid = np.zeros(SHAPE, bool)
  grid[tuple(np.argwhere(RIVER)[:num_cells].T)] = True
  return grid


@functools.cache
def compiled(num_agents):
  env = cleanup.Cleanup(num_agents=num_agents)
  return env, jax.jit(env.play)


def play(agents, actions, *, apples=None, waste=None, words=NO_APPLES):
  """Plays one step of agents given as (position, heading)."""
  env, fn = compiled(len(agents))
  draws = env.draw(jax.random.PRNGKey(0))
  state = env.start(jax.random.PRNGKey(1), draws)
  state = state._replace(
    positions=jnp.array([position for position, _ in agents], jnp.int32),
    headings=jnp.array([heading for _, heading in agents], jnp.int32),
  )
  if apples is not None:
    state = state._replace(apples=jnp.asarray(apples))
  if waste is not None:
    state = state._replace(waste=jnp.asarray(waste))
  return fn(state, jnp.array(actions), draws._replace(cells=words))


# Eating.


def test_an_agent_eats_the_apple_that_it_steps_on():
  apples = mask((5, 14), (5, 15))
  agents = [((5, 13), moves.RIGHT), ((20, 8), moves.UP)]
  state, reward = play(agents, [moves.Action.STEP_FORWARD, STAY], apples=apples)
  np.testing.assert_array_equal(reward, [1, 0])
  np.testing.assert_array_equal(state.apples, mask((5, 15)))


@pytest.mark.parametrize('action', range(STAY, 9))
def test_eating_takes_no_action(action):
  agents = [((5, 14), moves.UP), ((20, 8), moves.UP)]
  state, reward = play(agents, [action, STAY], apples=mask((5, 14)))
  np.testing.assert_array_equal(reward, [1 - (action == FIRE), 0])
  assert not np.any(state.apples)


def test_an_agent_that_leaves_does_not_eat():
  agents = [((5, 14), moves.UP), ((20, 8), moves.UP)]
  state, reward = play(agents, [0, STAY], apples=mask((5, 14)))
  np.testing.assert_array_equal(reward, [0, 0])
  np.testing.assert_array_equal(state.apples, mask((5, 14)))


# Beams.


def test_firing_costs_one_and_every_hit_fifty():
  agents = [((12, 9), moves.UP), ((10, 9), moves.UP), ((9, 9), moves.UP)]
  _, reward = play(agents, [FIRE, STAY, STAY])
  np.testing.assert_array_equal(reward, [-1, -50, 0])
  _, reward = play(agents, [FIRE, STAY, FIRE])
  np.testing.assert_array_equal(reward, [-1, -50, -1])


def test_two_shooters_cost_a_victim_a_hundred():
  agents = [((12, 9), moves.UP), ((10, 9), moves.UP), ((8, 9), moves.DOWN)]
  _, reward = play(agents, [FIRE, STAY, FIRE])
  np.testing.assert_array_equal(reward, [-1, -100, -1])


def test_shooting_each_other_while_eating():
  agents = [((12, 13), moves.UP), ((10, 13), moves.DOWN)]
  _, reward = play(agents, [FIRE, FIRE], apples=mask((12, 13)))
  np.testing.assert_array_equal(reward, [1 - 1 - 50, -1 - 50])


def test_beams_start_where_agents_are_after_their_moves():
  agents = [((12, 9), moves.UP), ((10, 7), moves.UP)]
  _, reward = play(agents, [FIRE, STAY])
  np.testing.assert_array_equal(reward, [-1, 0])
  _, reward = play(agents, [FIRE, moves.Action.STEP_RIGHT])
  np.testing.assert_array_equal(reward, [-1, -50])


def test_a_victim_is_neither_moved_nor_removed():
  agents = [((12, 9), moves.UP), ((10, 9), moves.LEFT)]
  state, _ = play(agents, [FIRE, STAY])
  np.testing.assert_array_equal(state.positions, [(12, 9), (10, 9)])
  np.testing.assert_array_equal(state.headings, [moves.UP, moves.LEFT])


def test_firing_leaves_waste_and_apples():
  apples = mask((5, 13), (5, 14))
  waste = with_waste(60)
  agents = [((5, 12), moves.RIGHT), ((2, 7), moves.LEFT)]
  state, reward = play(agents, [FIRE, FIRE], apples=apples, waste=waste)
  np.testing.assert_array_equal(reward, [-1, -1])
  np.testing.assert_array_equal(state.waste, waste)
  np.testing.assert_array_equal(state.apples, apples)


def test_cleaning_costs_nothing_and_hurts_nobody():
  agents = [((12, 9), moves.UP), ((10, 9), moves.UP)]
  _, reward = play(agents, [CLEAN, STAY])
  np.testing.assert_array_equal(reward, [0, 0])


def test_cleaning_turns_three_cells_of_waste_into_water():
  agents = [((9, 7), moves.LEFT), ((20, 12), moves.UP)]
  waste = RIVER.copy()
  state, _ = play(agents, [CLEAN, STAY], waste=waste)
  # The side lanes start beside the agent, where the river does not reach.
  np.testing.assert_array_equal(
    state.waste, waste & ~mask((8, 6), (9, 6), (10, 5))
  )


def test_beams_last_for_one_step():
  agents = [((12, 9), moves.UP), ((20, 9), moves.RIGHT)]
  env, fn = compiled(2)
  state, _ = play(agents, [FIRE, CLEAN])
  assert np.sum(state.marks == 2) == 15
  assert np.sum(state.marks == 1) == 15
  draws = env.draw(jax.random.PRNGKey(0))
  state, _ = fn(state, jnp.array([STAY, STAY]), draws)
  assert not np.any(state.marks)


# Growth.


def grow(num_waste, words):
  apples, waste = cleanup.Cleanup().grow(
    jnp.asarray(with_waste(num_waste)), words
  )
  return np.asarray(apples), np.asarray(waste)


@pytest.mark.parametrize('num_waste', [48, 56, 119])
def test_nothing_grows_in_a_dirty_river(num_waste):
  apples, waste = grow(num_waste, np.zeros(SHAPE, np.uint32))
  assert not apples.any()
  assert not waste.any()


@pytest.mark.parametrize(
  ('num_waste', 'chance'),
  [(0, 0.05), (1, 0.05 * (1 - 1 / 47.6)), (24, 0.05 * (1 - 24 / 47.6))]
  + [(47, 0.05 * (1 - 47 / 47.6))],
)
def test_the_chance_of_an_apple(num_waste, chance):
  for factor, grows in ((0.999, True), (1.001, False)):
    word = int(factor * chance * 2**32)
    apples, _ = grow(num_waste, np.full(SHAPE, word, np.uint32))
    np.testing.assert_array_equal(apples, ORCHARD & grows)


@pytest.mark.parametrize('num_waste', [0, 1, 20, 47])
def test_one_clean_cell_of_the_river_is_polluted(num_waste):
  rng = np.random.default_rng(num_waste)
  for _ in range(20):
    words = rng.integers(0, 2**32, SHAPE, np.uint32)
    _, waste = grow(num_waste, words)
    assert waste.sum() == 1
    assert (waste & RIVER & ~with_waste(num_waste)).sum() == 1


def test_equal_words_pollute_one_cell_too():
  _, waste = grow(10, np.zeros(SHAPE, np.uint32))
  assert waste.sum() == 1


def test_the_polluted_cell_is_the_first_success_in_a_random_order():
  """The published search, run as it is, hits the same cells as often."""
  rng = np.random.default_rng(0)
  clean = np.flatnonzero(RIVER & ~with_waste(40))
  theirs = []
  for _ in range(4000):
    shuffled = rng.permutation(clean)
    theirs.append(shuffled[np.argmax(rng.random(len(clean)) < 0.5)])
  words = jax.random.bits(jax.random.PRNGKey(0), (4000, *SHAPE), jnp.uint32)
  growing = jax.jit(jax.vmap(cleanup.Cleanup().grow, (None, 0)))
  _, waste = growing(jnp.asarray(with_waste(40)), words)
  ours = np.nonzero(np.asarray(waste).reshape(4000, -1))[1]
  counts = [[np.sum(drawn == c) for c in clean] for drawn in (ours, theirs)]
  assert stats.chisquare(counts[0]).pvalue > 1e-3
  assert stats.chi2_contingency(counts).pvalue > 1e-3


def test_growth_looks_at_the_river_after_the_beams():
  # Of 48 cells of waste one is cleaned: 47 let one come back, and apples grow.
  waste = with_waste(48)
  column = np.flatnonzero(waste[9])[-1]
  agents = [((9, int(column) + 1), moves.LEFT), ((22, 9), moves.UP)]
  words = np.full(SHAPE, 1000, np.uint32)
  state, _ = play(agents, [CLEAN, STAY], waste=waste, words=words)
  cleaned = waste & ~np.asarray(state.waste)
  assert np.sum(state.waste) == 48 - cleaned.sum() + 1
  np.testing.assert_array_equal(state.apples, ORCHARD)
  state, _ = play(agents, [STAY, STAY], waste=waste, words=words)
  np.testing.assert_array_equal(state.waste, waste)
  assert not np.any(state.apples)


def test_apples_do_not_grow_under_agents():
  agents = [((5, 14), moves.UP), ((5, 16), moves.UP)]
  state, reward = play(
    agents, [STAY, STAY], waste=with_waste(0), words=np.zeros(SHAPE, np.uint32)
  )
  expected = ORCHARD & ~mask((5, 14), (5, 16))
  np.testing.assert_array_equal(state.apples, expected)
  np.testing.assert_array_equal(reward, [0, 0])


def test_waste_comes_under_agents_too():
  words = NO_APPLES // 2
  words[9, 3] = 0xFFFFFFFF
  agents = [((9, 3), moves.UP), ((5, 16), moves.UP)]
  state, _ = play(agents, [STAY, STAY], waste=with_waste(0), words=words)
  np.testing.assert_array_equal(state.waste, mask((9, 3)))


def test_apples_stay_where_they_are():
  agents = [((20, 8), moves.UP), ((21, 8), moves.UP)]
  state, _ = play(agents, [STAY, STAY], apples=ORCHARD, waste=with_waste(0))
  np.testing.assert_array_equal(state.apples, ORCHARD)


# What is drawn.


def test_draws_are_used_as_documented():
  """A higher word goes first: in contests, and among beams."""
  env, fn = compiled(3)
  state = env.start(jax.random.PRNGKey(0), env.draw(jax.random.PRNGKey(0)))
  state = state._replace(
    positions=jnp.array([(12, 8), (12, 10), (20, 12)], jnp.int32),
    headings=jnp.array([moves.RIGHT, moves.LEFT, moves.UP], jnp.int32),
  )
  for high in (0, 1):
    words = np.full(3, 1 << 30, np.uint32)
    words[high] = 1 << 31
    draws = draws_lib.Draws(NO_APPLES, words, np.zeros(10, np.uint32))
    after, _ = fn(state, jnp.array([2, 2, STAY]), draws)
    assert after.positions[high].tolist() == [12, 9]
    assert after.positions[1 - high].tolist() == [12, 10 if high == 0 else 8]


def test_pictures_show_beams_and_agents():
  env, _ = compiled(2)
  agents = [((12, 9), moves.UP), ((20, 9), moves.RIGHT)]
  state, _ = play(agents, [FIRE, CLEAN])
  image = env.render(state)
  assert image.shape == (400, 288, 3)
  assert image.dtype == np.uint8
  # Beside the numbers of agents.
  inner = image[8::16, 3::16]
  beams = {x: render.SHOWN[f'{x} beam'][1] for x in ('fining', 'cleaning')}
  assert (inner == beams['fining']).all(axis=-1).sum() == 15
  assert (inner == beams['cleaning']).all(axis=-1).sum() == 15
  assert tuple(inner[12, 9]) == palette.rgb(palette.AGENTS[0])
  assert tuple(inner[20, 9]) == palette.rgb(palette.AGENTS[1])
