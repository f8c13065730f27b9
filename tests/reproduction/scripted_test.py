"""Tests of scripted agents, in states that are set by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.environments.grid import moves
from influence_acme.reproduction import scripted

KEYS = jax.random.split(jax.random.PRNGKey(0), 200)
COOPERATE, DEFECT = np.array([True]), np.array([False])


def place(game, position, heading, **fields):
  """Returns the game of one agent, and its state."""
  environment: Any = environments.functional(game, num_agents=1)
  state, _ = environment.reset(jax.random.PRNGKey(1))
  fields = {
    name: jnp.zeros(environment.level.shape, bool).at[tuple(cells.T)].set(True)
    for name, cells in fields.items()
  }
  return environment, state._replace(
    positions=jnp.array([position]), headings=jnp.array([heading]), **fields
  )


def actions_of(policy, state, cooperates, rule):
  return np.asarray(
    jax.vmap(lambda key: policy(state, cooperates, key, rule))(KEYS)
  )[:, 0]


def ends(environment, state, actions):
  """Returns where the agent stands after each of the actions."""
  step = jax.jit(lambda action: environment.step(state, action[None])[0])
  return [tuple(step(jnp.int32(a)).positions[0].tolist()) for a in actions]


@pytest.mark.parametrize('heading', range(4))
@pytest.mark.parametrize('apple', [(7, 12), (9, 12), (8, 11), (8, 13)])
def test_a_defector_eats_the_apple_beside_it(heading, apple):
  environment, state = place(
    'harvest', (8, 12), heading, apples=np.array([apple])
  )
  actions = actions_of(scripted.harvest, state, DEFECT, 3)
  counts = np.bincount(actions)
  assert counts.max() > 0.9 * len(KEYS)  # The others are random steps.
  assert ends(environment, state, [counts.argmax()]) == [apple]


@pytest.mark.parametrize('heading', range(4))
def test_a_cooperator_never_takes_an_apple_that_is_alone(heading):
  apples = np.array([(8, 13), (8, 14)])  # One neighbour each.
  environment, state = place('harvest', (8, 12), heading, apples=apples)
  actions = set(actions_of(scripted.harvest, state, COOPERATE, 2).tolist())
  assert (8, 13) not in ends(environment, state, actions)
  assert len(actions) == 3  # It wanders, whichever way it still can.
  taken = actions_of(scripted.harvest, state, COOPERATE, 1)
  assert ends(environment, state, [np.bincount(taken).argmax()]) == [(8, 13)]


def test_apples_out_of_sight_are_not_walked_to():
  _, near = place('harvest', (8, 12), 0, apples=np.array([(8, 19)]))
  _, far = place('harvest', (8, 12), 0, apples=np.array([(8, 20)]))
  counts = [
    np.bincount(actions_of(scripted.harvest, state, DEFECT, 3), minlength=8)
    for state in (near, far)
  ]
  right = moves.Action.STEP_RIGHT
  assert counts[0][right] > 0.9 * len(KEYS) > 0.5 * len(KEYS) > counts[1][right]


def test_who_cooperates_cleans_a_dirty_river():
  # 24 of 119 cells: 0.2017.
  waste = np.argwhere(scripted.RIVER)[:24]
  _, state = place('cleanup', (3, 8), moves.LEFT, waste=waste)
  clean = moves.Action.CLEAN
  actions = actions_of(scripted.cleanup, state, COOPERATE, 0.2)
  assert (actions == clean).all()
  for cooperates, dirty in (DEFECT, 0.2), (COOPERATE, 0.21):
    actions = actions_of(scripted.cleanup, state, cooperates, dirty)
    assert (actions <= moves.Action.STAY).all()


def test_close_to_waste_it_turns_until_it_can_clean():
  _, state = place('cleanup', (2, 7), moves.RIGHT, waste=np.array([(2, 6)]))
  actions = actions_of(scripted.cleanup, state, COOPERATE, 0.001)
  assert (actions == moves.Action.TURN_CLOCKWISE).all()


def test_nobody_fires():
  environment = environments.functional('cleanup', num_agents=4)
  state, _ = environment.reset(jax.random.PRNGKey(2))
  cooperates = np.array([True, True, False, False])

  def step(state, key):
    actions = scripted.cleanup(state, cooperates, key, 0.2)
    return environment.step(state, actions)[0], actions

  _, actions = jax.jit(lambda: jax.lax.scan(step, state, KEYS))()
  assert not (actions == moves.Action.FIRE).any()
  assert (actions[:, :2] == moves.Action.CLEAN).any()
  assert not (actions[:, 2:] == moves.Action.CLEAN).any()
