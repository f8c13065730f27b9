"""Cleanup and Harvest with probabilities and costs of one's own."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from influence_acme import environments
from influence_acme.environments import cleanup, harvest
from influence_acme.environments.grid import levels, moves

# Their games have more than what all environments have.
functional: Callable[..., Any] = environments.functional

STAY, FIRE = moves.Action.STAY, moves.Action.FIRE
HIGHEST = 2**32 - 1

# 5 cells of river, 2 of them polluted; 3 apple cells, 3 start cells.
TINY = """
  #######
  #w~.+a#
  #w~.+a#
  #~..+a#
  #######
"""


def mask(shape, *cells):
  grid = np.zeros(shape, bool)
  for cell in cells:
    grid[cell] = True
  return grid


def play(env, agents, actions, **fields):
  """Plays one step of agents given as (position, heading); nothing grows."""
  draws = env.draw(jax.random.PRNGKey(0))
  draws = draws._replace(cells=np.full(env.level.shape, HIGHEST, np.uint32))
  state = env.start(jax.random.PRNGKey(1), draws)
  state = state._replace(
    positions=jnp.array([position for position, _ in agents], jnp.int32),
    headings=jnp.array([heading for _, heading in agents], jnp.int32),
    **fields,
  )
  return env.play(state, jnp.array(actions), draws)


# Costs.


@pytest.mark.parametrize('name', ['cleanup', 'harvest'])
def test_costs_of_fining(name):
  env = functional(name, level=TINY, num_agents=2, fire_cost=0.25, hit_cost=3)
  agents = [((1, 4), moves.DOWN), ((3, 4), moves.UP)]
  apples = np.zeros((5, 7), bool)
  _, reward = play(env, agents, [FIRE, STAY], apples=apples)
  assert reward.tolist() == [-0.25, -3]
  _, reward = play(env, agents, [FIRE, FIRE], apples=apples)
  assert reward.tolist() == [-3.25, -3.25]
  assert reward.dtype == np.float32


# Growth in Cleanup. The small map has 18 cells of river: 7 of waste are below
# the limit of 7.2, 8 are not.


def small_waste(num_waste):
  river = np.argwhere(levels.CLEANUP_SMALL.mask('w~'))
  return mask((8, 12), *map(tuple, river[:num_waste]))


def test_the_small_river():
  env = functional('cleanup_small')
  state, _ = env.reset(jax.random.PRNGKey(0))
  assert env.waste_limit == 8
  assert np.sum(state.waste) == 9  # Nothing grows before it is cleaned.
  assert np.sum(env.river) == np.sum(env.apple_cells) == 18
  assert len(env.level.starts) == 4


@pytest.mark.parametrize('num_waste', [0, 3, 7, 8, 18])
@pytest.mark.parametrize('apple_chance', [0, 0.05, 0.5])
def test_the_chance_of_an_apple(num_waste, apple_chance):
  env = functional('cleanup_small', apple_chance=apple_chance)
  chance = apple_chance * max(0, 1 - num_waste / 7.2)
  for factor in (0.999, 1.001):
    words = np.full((8, 12), int(factor * chance * 2**32), np.uint32)
    apples, _ = env.grow(jnp.asarray(small_waste(num_waste)), words)
    grows = factor < 1 and chance > 0
    np.testing.assert_array_equal(apples, env.apple_cells & grows)


def test_a_chance_of_one_is_certain():
  env = functional('cleanup_small', apple_chance=1, waste_chance=1)
  words = np.full((8, 12), HIGHEST, np.uint32)
  apples, waste = env.grow(jnp.asarray(small_waste(0)), words)
  np.testing.assert_array_equal(apples, env.apple_cells)
  assert np.sum(waste) == 1


@pytest.mark.parametrize(
  ('river', 'limit'),
  [('~', 1), ('~~', 1), ('~~~', 2), ('~' * 5, 2), ('~' * 10, 4)]
  + [('~' * 15, 6), ('~' * 25, 10)],
)
def test_nothing_grows_from_the_limit_on(river, limit):
  """0.4 of 5, 10, 15 and 25 cells is a whole number, at which nothing grows."""
  wall = '#' * (len(river) + 4)
  env = functional(
    'cleanup', level=f'{wall}\n#{river}+a#\n{wall}', num_agents=1
  )
  assert env.waste_limit == limit
  words = np.zeros(env.level.shape, np.uint32)
  for num_waste in range(len(river) + 1):
    waste = mask(env.level.shape)
    waste[1, 1 : 1 + num_waste] = True
    apples, new_waste = env.grow(jnp.asarray(waste), words)
    assert np.sum(apples) == np.sum(new_waste) == (num_waste < limit)


# 1 - 0.9**11 = 0.68618940391 where 7 of 18 cells are waste, 1 - 0.9**18 =
# 0.84990536470 where none is, 1 - 0.5**11 = 0.99951171875.
@pytest.mark.parametrize(
  ('num_waste', 'waste_chance', 'expected'),
  [
    (7, 0.1, 0.68618940391),
    (0, 0.1, 0.84990536470),
    (7, 0.5, 0.99951171875),
    (8, 0.1, 0),
    (7, 0, 0),
  ],
)
def test_the_chance_of_waste(num_waste, waste_chance, expected):
  env = functional('cleanup_small', waste_chance=waste_chance)
  words = np.random.default_rng(0).integers(0, 2**32, (8, 12), np.uint32)
  for factor in (0.9999, 1.0001):
    words[0, 0] = int(factor * expected * 2**32)
    _, waste = env.grow(jnp.asarray(small_waste(num_waste)), words)
    assert np.sum(waste) == (factor < 1 and expected > 0)


def test_waste_comes_up_as_in_the_published_search():
  """Random order, each success has probability 0.1, the first one ends it."""
  env = functional('cleanup_small', waste_chance=0.1)
  waste = small_waste(7)
  clean = np.flatnonzero(env.river & ~waste)
  rng = np.random.default_rng(0)
  num_draws = 8000
  theirs = np.full(num_draws, -1)
  for i in range(num_draws):
    successes = np.flatnonzero(rng.random(len(clean)) < 0.1)
    if len(successes):
      theirs[i] = rng.permutation(clean)[successes[0]]
  words = jax.random.bits(jax.random.PRNGKey(0), (num_draws, 8, 12), jnp.uint32)
  growing = jax.jit(jax.vmap(env.grow, (None, 0)))
  new = np.asarray(growing(jnp.asarray(waste), words)[1]).reshape(num_draws, -1)
  ours = np.where(new.any(axis=1), new.argmax(axis=1), -1)
  counts = [
    [np.sum(drawn == cell) for cell in (-1, *clean)] for drawn in (ours, theirs)
  ]
  assert np.sum(counts, axis=1).tolist() == [num_draws, num_draws]
  assert stats.chi2_contingency(counts).pvalue > 1e-3
  # Whether there is waste says nothing about where.
  assert stats.chisquare(counts[0][1:]).pvalue > 1e-3


def test_waste_is_certain_on_the_paper_s_map_below_the_limit():
  """At least 72 cells are clean: 1 - 2**-72 is 1 in float32."""
  env = cleanup.Cleanup()
  river = np.argwhere(env.river)
  for num_waste in range(119 + 1):
    waste = mask((25, 18), *map(tuple, river[:num_waste]))
    words = np.random.default_rng(num_waste).integers(
      0, 2**32, (25, 18), np.uint32
    )
    words[0, 0] = HIGHEST
    _, new = env.grow(jnp.asarray(waste), words)
    assert np.sum(new) == (num_waste < 48)


# Growth in Harvest. TINY's apple cells are three in a column.


@pytest.mark.parametrize(
  ('regrowth', 'apples', 'word', 'expected'),
  [
    # One around the first and the last cell, two around the middle one.
    ((0, 0.25, 0.5), (), 0, ()),
    ((0, 0.25, 0.5), (2,), 2**30 - 1, (1, 2, 3)),
    ((0, 0.25, 0.5), (2,), 2**30, ()),
    ((0, 0.25, 0.5), (1, 3), 2**31 - 1, (2,)),
    ((0, 0.25, 0.5), (1, 3), 2**31, ()),
    # Three and more count as the last one, here one.
    ((0, 0.25), (1, 3), 2**30 - 1, (1, 2, 3)),
    # Apples come from nothing, and always.
    ((0.5,), (), 2**31 - 1, (1, 2, 3)),
    ((0.5,), (), 2**31, ()),
    ((1,), (), HIGHEST, (1, 2, 3)),
    # More around need not be better.
    ((0, 0.5, 0), (1, 3), 0, (1, 3)),
    ((0, 0.5, 0), (2,), 0, (1, 2, 3)),
  ],
)
def test_regrowth_by_apples_around(regrowth, apples, word, expected):
  env = functional('harvest', level=TINY, num_agents=2, regrowth=regrowth)
  here = mask((5, 7), *((row, 5) for row in apples))
  grown = env.grow(jnp.asarray(here), np.full((5, 7), word, np.uint32))
  wanted = mask((5, 7), *((row, 5) for row in expected))
  # A cell that has an apple counts it, but nothing new can come of it.
  np.testing.assert_array_equal(grown & ~here, wanted & ~here)


def test_all_eight_cells_around_can_have_a_probability_of_their_own():
  level = '#####\n#aaa#\n#aaa#\n#aaa#\n#..+#\n#####'
  words = np.full((6, 5), 2**31, np.uint32)
  around = [(row, col) for row in (1, 2, 3) for col in (1, 2, 3)]
  around.remove((2, 2))
  for count in range(9):
    chances = np.zeros(9)
    chances[count] = 0.75
    env = functional('harvest', level=level, num_agents=1, regrowth=chances)
    for num_apples in range(9):
      for cells in itertools.islice(
        itertools.combinations(around, num_apples), 3
      ):
        grown = env.grow(jnp.asarray(mask((6, 5), *cells)), words)
        assert grown[2, 2] == (num_apples == count)


def walk(env, state, wanted, key):
  """Takes everyone a step towards the nearest cell that it wants, [N, R, C].

  Nobody steps on other apples, and every tenth step is random.
  """
  steps = np.array([[-1, 0], [0, 1], [1, 0], [0, -1], [0, 0]])
  cells = state.positions[:, None] + steps  # [N, 5, 2]
  rows, columns = cells[..., 0], cells[..., 1]
  away = np.indices(env.level.shape) - cells[..., None, None]
  goals = jnp.where(wanted[:, None], jnp.abs(away).sum(axis=2), 99)
  distance = goals.min(axis=(2, 3))  # [N, 5]
  agents = jnp.arange(len(wanted))[:, None]
  closed = state.apples[rows, columns] & ~wanted[agents, rows, columns]
  closed |= jnp.asarray(env.level.mask('#'))[rows, columns]
  keys = jax.random.split(key)
  is_random = jax.random.bernoulli(keys[0], 0.1, (len(wanted), 1))
  noise = jax.random.uniform(keys[1], distance.shape)
  cost = jnp.where(is_random, 0, distance) + noise / 2
  choice = jnp.argmin(jnp.where(closed, 999, cost), axis=1)
  step = jnp.array([2, 1, 3, 0])[(choice - state.headings) % 4]
  return jnp.where(choice == 4, STAY, step)


def test_the_small_harvest_is_emptied_by_greed_and_lasts_with_restraint():
  env = functional('harvest_small')
  assert np.sum(env.apple_cells) == 20
  assert len(env.level.starts) == 8

  @jax.jit
  @jax.vmap
  def episode(key, is_greedy):
    def one_step(state, key):
      others = harvest.around(state.apples) - state.apples
      wanted = state.apples & (is_greedy[:, None, None] | (others >= 3))
      state, _ = env.step(state, walk(env, state, wanted, key))
      return state, jnp.sum(state.apples)

    state, _ = env.reset(key)
    keys = jax.random.split(key, env.episode_length)
    state, apples = jax.lax.scan(one_step, state, keys)
    return env.events(state)['apples'].sum(), apples

  keys = jax.random.split(jax.random.PRNGKey(0), 20)
  for num_greedy in range(4):
    is_greedy = jnp.arange(3) < num_greedy
    eaten, apples = episode(keys, jnp.tile(is_greedy, (20, 1)))
    if num_greedy == 0:
      assert np.mean(eaten) > 80
      assert np.min(apples[:, -1]) > 5
    else:  # One is enough to take them all.
      assert np.mean(eaten) < 30
      assert not np.any(apples[:, -1])
