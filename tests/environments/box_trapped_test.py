"""Box Trapped's rules, one by one."""

import functools

import chex
import dm_env
import jax
import numpy as np
import pytest
from oracles import box_trapped_oracle

from influence_acme.environments import box_trapped
from influence_acme.environments.grid import colours, moves, render

LEFT, RIGHT, FORWARD, BACK, STAY = range(5)
CLOCKWISE, OPEN = moves.Action.TURN_CLOCKWISE, box_trapped.OPEN_BOX
DOOR = [(6, 4), (6, 5)]


@functools.cache
def compiled(falls_shut=True):
  env = box_trapped.BoxTrapped(falls_shut=falls_shut)
  return env, jax.jit(env.reset), jax.jit(env.step)


def run(plays, falls_shut=True):
  """Plays joint actions from the start; returns all states and rewards."""
  _, reset, step = compiled(falls_shut)
  state, _ = reset(jax.random.PRNGKey(0))
  states, rewards = [state], []
  for actions in plays:
    state, after = step(state, np.array(actions, np.int32))
    states.append(state)
    rewards.append(after.reward.tolist())
  return states, rewards


def test_the_start():
  env, reset, _ = compiled()
  state, first = reset(jax.random.PRNGKey(0))
  assert state.positions.tolist() == [[2, 4], [7, 4]]
  assert state.headings.tolist() == [moves.UP, moves.UP]
  assert state.door == box_trapped.SHUT
  assert first.step_type == dm_env.StepType.FIRST
  assert first.observation.shape == (2, 9, 9, 3)
  other, _ = reset(jax.random.PRNGKey(1))
  chex.assert_trees_all_equal(state[1:], other[1:])
  assert env.apples(state).sum() == 28
  assert tuple(np.asarray(first.observation)[1, 6, 4]) == colours.SHUT


def test_every_move_onto_another_cell_eats_an_apple():
  states, rewards = run([(FORWARD, STAY), (LEFT, STAY), (RIGHT, STAY)])
  assert [first for first, _ in rewards] == [1, 1, 1]
  apples = compiled()[0].apples(states[-1])
  assert not apples[1, 4]
  assert apples[1, 3]  # It grew back as soon as the agent left.


@pytest.mark.parametrize('action', [STAY, CLOCKWISE, OPEN, FORWARD])
def test_not_moving_eats_nothing(action):
  # The wall is ahead: a step forward is none.
  _, rewards = run([(FORWARD, STAY), (action, STAY)])
  assert rewards == [[1, 0], [0, 0]]


def test_the_starts_hold_no_apple():
  _, rewards = run([(LEFT, RIGHT), (RIGHT, LEFT), (LEFT, RIGHT)])
  assert rewards == [[1, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize('action', [LEFT, FORWARD, BACK])
def test_the_box_is_closed(action):
  states, rewards = run([(STAY, action)])
  assert states[-1].positions[1].tolist() == [7, 4]
  assert rewards == [[0, 0]]


def test_opening_takes_effect_before_the_moves():
  states, rewards = run([(OPEN, FORWARD)])
  assert states[-1].positions.tolist() == [[2, 4], [6, 4]]
  assert states[-1].door == box_trapped.OPEN
  assert rewards == [[0, 1]]


def test_the_trapped_agent_cannot_open():
  states, _ = run([(STAY, OPEN), (STAY, FORWARD)])
  assert states[1].door == states[2].door == box_trapped.SHUT
  assert states[2].positions[1].tolist() == [7, 4]


def test_the_door_falls_shut_unless_the_other_goes_through():
  states, rewards = run([(OPEN, RIGHT), (STAY, FORWARD), (STAY, STAY)])
  doors = [state.door for state in states]
  assert doors == [box_trapped.SHUT, box_trapped.AJAR] + [box_trapped.SHUT] * 2
  assert states[-1].positions[1].tolist() == [7, 5]
  assert rewards == [[0, 1], [0, 0], [0, 0]]


def test_an_ajar_door_can_be_opened_again():
  states, rewards = run([(OPEN, RIGHT), (OPEN, FORWARD)])
  assert states[-1].door == box_trapped.OPEN
  assert states[-1].positions[1].tolist() == [6, 5]
  assert rewards == [[0, 1], [0, 1]]


def test_the_door_stays_open_once_gone_through():
  plays = [(OPEN, FORWARD), (STAY, FORWARD), (STAY, BACK), (STAY, BACK)]
  states, rewards = run([*plays, (STAY, STAY), (STAY, FORWARD), (OPEN, BACK)])
  assert all(state.door == box_trapped.OPEN for state in states[1:])
  rows = [int(state.positions[1, 0]) for state in states[1:]]
  assert rows == [6, 5, 6, 7, 7, 6, 7]
  assert [second for _, second in rewards] == [1, 1, 1, 0, 0, 1, 0]


def test_a_door_that_does_not_fall_shut():
  plays = [(OPEN, RIGHT), (STAY, STAY), (STAY, FORWARD)]
  states, rewards = run(plays, falls_shut=False)
  assert all(state.door == box_trapped.OPEN for state in states[1:])
  assert states[-1].positions[1].tolist() == [6, 5]
  assert rewards == [[0, 1], [0, 0], [0, 1]]


def test_nobody_enters_the_other_s_part():
  env, reset, step = compiled()
  rng = np.random.default_rng(0)
  state, _ = jax.vmap(reset)(jax.random.split(jax.random.PRNGKey(0), 64))
  step = jax.jit(jax.vmap(env.step))
  seen = set()
  for t in range(90):
    actions = rng.integers(0, 8, (64, 2)).astype(np.int32)
    actions[:32, 0] = np.where(t % 2, OPEN, actions[:32, 0])
    state, _ = step(state, actions)
    for i in range(2):
      rows = np.unique(state.positions[:, i, 0])
      seen |= {(i, int(row)) for row in rows}
  free, trapped = ({row for i, row in seen if i == j} for j in range(2))
  assert free == {1, 2}
  assert trapped == {4, 5, 6, 7}


def test_views_hold_the_whole_map_turned_as_the_agent_looks():
  env, _, step = compiled()
  states, _ = run([(STAY, STAY), (CLOCKWISE, STAY)])
  before, after = (np.asarray(env.observe(state)) for state in states[1:])
  np.testing.assert_array_equal(before[0], before[1])
  # It looks right: the right of the map is at the top of its view.
  np.testing.assert_array_equal(after[0], np.rot90(before[0]))
  np.testing.assert_array_equal(after[1], before[1])
  assert tuple(before[0][2, 4]) == colours.AGENTS[0]
  assert tuple(before[0][7, 4]) == colours.AGENTS[1]
  assert tuple(before[0][3, 4]) == colours.WALL


@pytest.mark.parametrize(
  ('plays', 'colour'),
  [
    ([(STAY, STAY)], colours.SHUT),
    ([(OPEN, STAY)], colours.AJAR),
    ([(OPEN, FORWARD), (STAY, FORWARD)], colours.APPLE),
  ],
)
def test_the_door_can_be_seen(plays, colour):
  env, _, _ = compiled()
  state = run(plays)[0][-1]
  image = env.render(state)
  assert image.shape == (144, 144, 3)
  shown = dict(render.SHOWN.values())
  for row, column in DOOR:
    assert tuple(image[16 * row + 8, 16 * column + 8]) == shown[colour]
    assert tuple(np.asarray(env.observe(state))[0, row, column]) == colour


def test_everyone_sees_everyone():
  env, reset, _ = compiled()
  state, _ = reset(jax.random.PRNGKey(0))
  np.testing.assert_array_equal(env.visible(state), [[0, 1], [1, 0]])


@pytest.mark.parametrize('falls_shut', [True, False])
def test_replay(falls_shut):
  env, reset, step = compiled(falls_shut)
  rng = np.random.default_rng(0)
  for _ in range(20):
    state, after = reset(jax.random.PRNGKey(0))
    oracle = box_trapped_oracle.BoxTrappedOracle(falls_shut)
    for _ in range(30):
      np.testing.assert_array_equal(after.observation, oracle.observations())
      actions = rng.choice(8, 2, p=[0.2, 0.2, 0.2, 0.2] + [0.05] * 4)
      state, after = step(state, actions.astype(np.int32))
      np.testing.assert_array_equal(after.reward, oracle.step(actions.tolist()))
      assert list(map(tuple, state.positions.tolist())) == oracle.positions
      assert state.headings.tolist() == oracle.headings
      door = ('shut', 'ajar', 'open')[int(state.door)]
      assert door == oracle.door
      assert state.eaten.tolist() == oracle.apples_eaten
      assert state.opened == oracle.was_opened
