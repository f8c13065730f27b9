"""Cleanup and Harvest on maps of one's own."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.environments import box_trapped, cleanup, harvest
from influence_acme.environments.grid import levels, moves
from influence_acme.testing import conformance

STAY, FORWARD, FIRE = (
  moves.Action.STAY,
  moves.Action.STEP_FORWARD,
  moves.Action.FIRE,
)

# Their games have more than what all environments have.
functional: Callable[..., Any] = environments.functional

# 5 cells of river, 2 of them polluted; 3 apple cells, 3 start cells.
TINY = """
  #######
  #w~.+a#
  #w~.+a#
  #~..+a#
  #######
"""
# A wall inside, between the start cells.
WALLED = """
  #########
  #~..+...#
  #..xxx.a#
  #...+...#
  #########
"""


def mask(shape, *cells):
  grid = np.zeros(shape, bool)
  for cell in cells:
    grid[cell] = True
  return grid


def play(env, agents, actions, **fields):
  """Plays one step of agents given as (position, heading); nothing grows."""
  draws = env.draw(jax.random.PRNGKey(0))
  draws = draws._replace(cells=np.full(env.level.shape, 2**32 - 1, np.uint32))
  state = env.start(jax.random.PRNGKey(1), draws)
  state = state._replace(
    positions=jnp.array([position for position, _ in agents], jnp.int32),
    headings=jnp.array([heading for _, heading in agents], jnp.int32),
    **fields,
  )
  return env.play(state, jnp.array(actions), draws)


# The paper's games are the defaults.


def test_the_defaults_of_cleanup_are_the_paper_s():
  spelt_out = functional(
    'cleanup',
    level=levels.CLEANUP.text,
    num_agents=5,
    episode_length=1000,
    view_size=15,
    fire_cost=1,
    hit_cost=50,
    apple_chance=0.05,
    waste_chance=0.5,
  )
  assert spelt_out == functional('cleanup')
  assert hash(spelt_out) == hash(functional('cleanup'))
  assert spelt_out.waste_limit == 48


def test_the_defaults_of_harvest_are_the_paper_s():
  spelt_out = functional(
    'harvest',
    level=levels.HARVEST.text,
    num_agents=5,
    episode_length=1000,
    view_size=15,
    fire_cost=1,
    hit_cost=50,
    regrowth=[0, 0.005, 0.02, 0.05],
  )
  assert spelt_out == functional('harvest')
  assert hash(spelt_out) == hash(functional('harvest'))


def test_numpy_scalars_are_numbers():
  env = functional(
    'cleanup',
    level=TINY,
    num_agents=np.int64(2),
    episode_length=np.uint8(7),
    view_size=np.int32(5),
    hit_cost=np.int16(3),
    fire_cost=np.float64(0.5),
    waste_chance=np.float32(0.25),
  )
  same = functional(
    'cleanup',
    level=levels.Level(TINY),
    num_agents=2,
    episode_length=7,
    view_size=5,
    hit_cost=3,
    fire_cost=0.5,
    waste_chance=0.25,
  )
  assert env == same
  assert hash(env) == hash(same)
  assert type(env.num_agents) is int
  assert type(env.hit_cost) is float


# Maps.


def test_everything_follows_from_the_level():
  env = functional('cleanup', level=TINY, num_agents=3)
  assert env.level.shape == (5, 7)
  assert env.waste_limit == 2  # 0.4 of 5.
  state, step = env.reset(jax.random.PRNGKey(0))
  np.testing.assert_array_equal(state.waste, mask((5, 7), (1, 1), (2, 1)))
  assert not np.any(state.apples)
  starts = {(1, 4), (2, 4), (3, 4)}
  assert set(map(tuple, np.asarray(state.positions).tolist())) == starts
  assert step.observation.shape == (3, 15, 15, 3)
  assert env.render(state).shape == (5 * 16, 7 * 16, 3)

  env = functional('harvest', level=TINY, num_agents=3)
  state, _ = env.reset(jax.random.PRNGKey(0))
  apples = mask((5, 7), (1, 5), (2, 5), (3, 5))
  np.testing.assert_array_equal(state.apples, apples)


def test_blanks_and_blank_lines_make_no_difference():
  tight = '#######\n#w~.+a#\n#w~.+a#\n#~..+a#\n#######'
  assert levels.Level(TINY) == levels.Level(tight)
  assert levels.Level(tight).text == tight


def test_a_river_may_start_clean():
  # All 119 cells are clean: one is polluted in the first step.
  text = levels.CLEANUP.text.replace('w', '~')
  env = functional('cleanup', level=text)
  state, _ = env.reset(jax.random.PRNGKey(0))
  assert not np.any(state.waste)
  state, _ = jax.jit(env.step)(state, np.full(5, STAY))
  assert np.sum(state.waste) == 1


def test_a_subclass_can_have_a_level_of_its_own():
  @dataclasses.dataclass(frozen=True, kw_only=True)
  class TinyHarvest(harvest.Harvest):
    level: levels.Level = levels.Level(TINY)
    num_agents: int = 2

  state, _ = TinyHarvest().reset(jax.random.PRNGKey(0))
  assert np.sum(state.apples) == 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class NotAnnotated(cleanup.Cleanup):
  level = levels.Level(TINY)


class NoDataclass(cleanup.Cleanup):
  level: levels.Level = levels.Level(TINY)


@pytest.mark.parametrize('cls', [NotAnnotated, NoDataclass])
def test_an_attribute_without_effect_is_refused(cls):
  with pytest.raises(ValueError, match=f'level is set .*{cls.__name__}.*annot'):
    cls(num_agents=2)


def test_box_trapped_has_one_map():
  with pytest.raises(ValueError, match="Unknown override 'level'"):
    functional('box_trapped', level=TINY)
  assert box_trapped.BoxTrapped().level == levels.BOX_TRAPPED


# Walls inside.


def test_inner_walls_stop_steps():
  env = functional('cleanup', level=WALLED, num_agents=2)
  agents = [((1, 4), moves.DOWN), ((3, 4), moves.DOWN)]
  state, _ = play(env, agents, [FORWARD, moves.Action.STEP_BACK])
  assert state.positions.tolist() == [[1, 4], [3, 4]]
  state, _ = play(env, agents, [moves.Action.STEP_LEFT, STAY])
  assert state.positions.tolist() == [[1, 5], [3, 4]]


def test_inner_walls_stop_beams():
  env = functional('harvest', level=WALLED, num_agents=2)
  # Agent 1 is two cells ahead, behind the wall.
  agents = [((1, 4), moves.DOWN), ((3, 4), moves.UP)]
  state, reward = play(env, agents, [FIRE, STAY])
  assert reward.tolist() == [-1, 0]
  # The side lanes start beside the agent, and end at once.
  assert np.argwhere(state.marks).tolist() == [[1, 3], [1, 5]]
  # One column to the left the left lane passes the wall.
  agents = [((1, 3), moves.DOWN), ((3, 2), moves.UP)]
  state, reward = play(env, agents, [FIRE, STAY])
  assert reward.tolist() == [-1, -50]
  assert np.argwhere(state.marks).tolist() == [[1, 2], [1, 4], [2, 2], [3, 2]]


def test_inner_walls_are_drawn_as_walls():
  env = functional('cleanup', level=WALLED, num_agents=1)
  assert (env.background == env.background[0, 0]).sum() == 9 * 2 + 3 * 2 + 3


# Views.


@pytest.mark.parametrize('size', [3, 5, 21])
def test_the_size_of_a_view(size):
  env, wide = (
    functional('cleanup_small', num_agents=4, view_size=view_size)
    for view_size in (size, 31)
  )
  state, step = env.reset(jax.random.PRNGKey(0))
  assert env.observation_shape == (size, size, 3)
  edge = (31 - size) // 2
  middle = slice(edge, edge + size)
  np.testing.assert_array_equal(
    step.observation, wide.observe(state)[:, middle, middle]
  )
  distance = np.abs(
    state.positions[:, None] - np.asarray(state.positions)[None]
  )
  near = (distance.max(axis=-1) <= size // 2) & ~np.eye(4, dtype=bool)
  np.testing.assert_array_equal(env.visible(state), near)


# The contract.


CUSTOM = {
  'cleanup_small': {},
  'harvest_small': {},
  'cleanup': {'level': WALLED, 'num_agents': 2, 'view_size': 3},
  'harvest': {'level': TINY, 'num_agents': 3, 'regrowth': (0.5,)},
}


@pytest.mark.parametrize('name', CUSTOM)
def test_keeps_the_contract_of_functional_environments(name):
  fields = {**CUSTOM[name], 'episode_length': 25}
  env = functional(name, **fields)
  conformance.check_functional(env, num_steps=60)


@pytest.mark.parametrize('name', ['cleanup_small', 'harvest_small'])
def test_keeps_the_contract_of_dm_env(name):
  conformance.check_environment(environments.make(name, seed=1))
