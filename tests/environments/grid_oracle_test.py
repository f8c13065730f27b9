"""Random episodes of grid worlds, replayed step for step by slow oracles."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from oracles import cleanup_oracle, harvest_oracle

from influence_acme import environments
from influence_acme.environments.grid import colours
from influence_acme.environments.grid import draws as draws_lib

# Their games have more than what all environments have.
functional: Callable[..., Any] = environments.functional

# Rooms, with walls inside; rivers are for the eye only in Harvest.
ROOMS = """
  ##############
  #w~..x.+..aaa#
  #~~+.x..x.a.a#
  #ww...+.x.aaa#
  #~xx....xxx.x#
  #w~.+x.+..aaa#
  #~~s.x....a+a#
  ##############
"""
CLEANUP_SMALL = """
  ############
  #ww~..+.aaa#
  #w~~.+..aaa#
  #ww~....aaa#
  #w~~.+..aaa#
  #ww~....aaa#
  #w~~..+.aaa#
  ############
"""
HARVEST_SMALL = """
  ############
  #+.a....a.+#
  #.aaa..aaa.#
  #..a.++.a..#
  #..a.++.a..#
  #.aaa..aaa.#
  #+.a....a.+#
  ############
"""


def oracle_of(oracle_class, text, **attributes):
  """Returns the class of an oracle that plays on a map given as text."""
  rows = text.split()

  def drawn(kinds):
    return [
      (row, column)
      for row, line in enumerate(rows)
      for column, kind in enumerate(line)
      if kind in kinds
    ]

  attributes |= {
    'shape': (len(rows), len(rows[0])),
    'starts': tuple(drawn('+')),
    'inner_walls': set(drawn('x')),
    'orchard': set(drawn('a')),
  }
  water = {'river': set(drawn('w~')), 'stream': set(drawn('s'))}
  if oracle_class is harvest_oracle.HarvestOracle:
    everywhere = set.union(*water.values())
    attributes['ground'] = lambda self, cell: (
      colours.WATER if cell in everywhere else None
    )
  else:
    attributes |= {**water, 'polluted': set(drawn('w'))}
  return type('Oracle', (oracle_class,), attributes)


# By name: what `functional` is given, and what plays it again.
COSTS: dict[str, Any] = {'fire_cost': 0.5, 'hit_cost': 2, 'view_size': 5}
CLEANUP_CHANCES = {'apple_chance': 0.3, 'waste_chance': 0.05}
HARVEST_CHANCES = {'regrowth': (0.01, 0.2, 0, 0.1, 1)}
OWN_CLEANUP = {**CLEANUP_CHANCES, **COSTS}
OWN_HARVEST = {**HARVEST_CHANCES, **COSTS}
CLEANUP, HARVEST = cleanup_oracle.CleanupOracle, harvest_oracle.HarvestOracle
GAMES: dict[str, tuple[str, dict[str, Any], Any]] = {
  'cleanup': ('cleanup', {}, CLEANUP),
  'harvest': ('harvest', {}, HARVEST),
  'cleanup_small': ('cleanup_small', {}, oracle_of(CLEANUP, CLEANUP_SMALL)),
  'harvest_small': ('harvest_small', {}, oracle_of(HARVEST, HARVEST_SMALL)),
  'cleanup in rooms': (
    'cleanup',
    {'level': ROOMS, **OWN_CLEANUP},
    oracle_of(CLEANUP, ROOMS, **OWN_CLEANUP),
  ),
  'harvest in rooms': (
    'harvest',
    {'level': ROOMS, **OWN_HARVEST},
    oracle_of(HARVEST, ROOMS, **OWN_HARVEST),
  ),
}


def random_draws(rng, env):
  def words(*shape):
    return rng.integers(0, 2**32, shape, np.uint32)

  num_starts = len(env.level.starts)
  return draws_lib.Draws(
    words(*env.level.shape), words(env.num_agents), words(num_starts)
  )


def cells(mask):
  return set(map(tuple, np.argwhere(mask).tolist()))


def check_same(state, oracle):
  assert list(map(tuple, state.positions.tolist())) == oracle.positions
  assert state.headings.tolist() == oracle.headings
  assert cells(state.apples) == oracle.apples
  assert cells(state.marks) == set(oracle.beams)
  assert len(set(oracle.positions)) == len(oracle.positions)
  if hasattr(oracle, 'waste'):
    assert cells(state.waste) == oracle.waste
  assert state.events.tolist() == list(oracle.events.values())


def crowd(rng, state, level):
  """Puts everyone into a small part of the map and takes half of all things."""
  num_agents = len(state.positions)
  rows, columns = state.apples.shape
  side = 4 if num_agents <= 10 else 6
  corner = rng.integers((1, 1), (rows - side, columns - side))
  inside = corner + np.argwhere(np.ones((side, side), bool))
  inside = inside[~level.mask('x')[tuple(inside.T)]]
  positions = inside[rng.choice(len(inside), num_agents, replace=False)]
  state = state._replace(
    positions=positions.astype(np.int32),
    headings=rng.integers(0, 4, num_agents).astype(np.int32),
  )
  half = rng.random(state.apples.shape) < 0.5
  if hasattr(state, 'waste'):
    return state._replace(waste=state.waste & half)
  return state._replace(apples=state.apples & half)


@pytest.mark.parametrize(
  ('game', 'num_agents', 'num_steps'),
  [
    ('cleanup', 1, 200),
    ('cleanup', 2, 200),
    ('cleanup', 5, 1000),
    ('cleanup', 10, 1000),
    ('harvest', 1, 100),
    ('harvest', 5, 600),
    ('harvest', 20, 400),
    ('cleanup_small', 3, 400),
    ('harvest_small', 3, 400),
    ('cleanup in rooms', 5, 600),
    ('harvest in rooms', 5, 400),
  ],
)
def test_replay(game, num_agents, num_steps):
  name, fields, oracle_class = GAMES[game]
  env = functional(name, num_agents=num_agents, **fields)
  rng = np.random.default_rng(num_agents)

  @jax.jit
  def play(state, actions, draws):
    state, reward = env.play(state, actions, draws)
    return state, env._step_at(state, reward), env.visible(state)

  oracle = oracle_class(num_agents)
  draws = random_draws(rng, env)
  state = jax.device_get(env.start(jax.random.PRNGKey(0), draws))
  oracle.reset(draws)
  check_same(state, oracle)

  for t in range(num_steps):
    if t % 20 == 0:
      state = crowd(rng, state, env.level)
      oracle.load(state)
    # In turn: all actions, and moves only, which gives more conflicts.
    num_actions = env.num_actions if t // 20 % 2 else 4
    actions = rng.integers(0, num_actions, num_agents)
    draws = random_draws(rng, env)
    state, step, visible = jax.device_get(
      play(state, actions.astype(np.int32), draws)
    )
    rewards = oracle.step(actions.tolist(), draws)
    check_same(state, oracle)
    np.testing.assert_array_equal(step.reward, rewards)
    np.testing.assert_array_equal(visible, oracle.visible())
    if t % 10 < 2:  # The oracle paints slowly.
      np.testing.assert_array_equal(step.observation, oracle.observations())


@pytest.mark.parametrize(
  ('game', 'num_agents'),
  [('cleanup', 10), ('harvest', 20), ('cleanup in rooms', 5)]
  + [('harvest in rooms', 5), ('cleanup_small', 3)],
)
def test_the_oracle_s_first_observation(game, num_agents):
  name, fields, oracle_class = GAMES[game]
  env = functional(name, num_agents=num_agents, **fields)
  draws = random_draws(np.random.default_rng(0), env)
  state = env.start(jax.random.PRNGKey(0), draws)
  oracle = oracle_class(num_agents)
  oracle.reset(draws)
  step = env._step_at(state, np.zeros(num_agents, np.float32))
  np.testing.assert_array_equal(step.observation, oracle.observations())
