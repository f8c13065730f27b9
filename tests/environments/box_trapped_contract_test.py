"""What pays in Box Trapped, and its contract."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.environments import box_trapped
from influence_acme.testing import conformance

LEFT, RIGHT, FORWARD, BACK, STAY = range(5)
OPEN = box_trapped.OPEN_BOX


def graze(position):
  """Returns the step of an agent that looks up and eats where it is."""
  row, column = position
  in_box, at_start = row == 7, row == 2
  sideways = jnp.where(column == 4, RIGHT, LEFT)
  updown = jnp.where((row == 1) | (row == 4), BACK, FORWARD)
  # Agent 0 walks along the top row, agent 1 up and down outside of the box.
  along = jnp.where(at_start, FORWARD, sideways)
  return jnp.where(in_box, sideways, jnp.where(row <= 2, along, updown))


def returns(trapped, opening, falls_shut):
  """Returns both returns if agent 0 opens in one step (-1: never).

  Args:
    trapped: what agent 1 does while in the box: 'reacts', 'reacts late' to a
      door that it finds open, or 'pushes' against it all the time.
    opening: the step in which agent 0 opens, from 0.
    falls_shut: as in BoxTrapped.
  """
  env = box_trapped.BoxTrapped(falls_shut=falls_shut)

  def one_step(state, t):
    opens = t == opening
    pushes = {
      'reacts': opens | (state.door == box_trapped.OPEN),
      'reacts late': state.door == box_trapped.OPEN,
      'pushes': True,
    }[trapped]
    in_box = state.positions[1, 0] == 7
    free, second = (graze(state.positions[i]) for i in range(2))
    first = jnp.where(opens, OPEN, free)
    second = jnp.where(in_box & pushes, FORWARD, second)
    state, step = env.step(state, jnp.array([first, second]))
    return state, step.reward

  state, _ = env.reset(jax.random.PRNGKey(0))
  _, rewards = jax.jit(functools.partial(jax.lax.scan, one_step))(
    state, jnp.arange(30)
  )
  return rewards.sum(axis=0).tolist()


@pytest.mark.parametrize('falls_shut', [True, False])
def test_opening_costs_one_apple(falls_shut):
  assert returns('reacts', -1, falls_shut) == [30, 15]
  assert returns('reacts', 5, falls_shut)[0] == 29


# In the box every other move eats, 15 in all; outside, every move. A door that
# opens in step 5 finds the agent with 3 apples, and 25 more steps to go.
@pytest.mark.parametrize(
  ('trapped', 'opening', 'falls_shut', 'expected'),
  [
    ('reacts', 5, True, 3 + 25),
    ('reacts late', 5, True, 15),
    ('pushes', 5, True, 0 + 25),
    ('pushes', -1, True, 0),
    ('reacts', 5, False, 3 + 25),
    ('reacts late', 5, False, 3 + 24),
    ('pushes', 5, False, 0 + 25),
    # In even steps there is something to eat in the box while others go out.
    ('reacts', 6, False, 3 + 24),
    ('reacts late', 6, False, 4 + 23),
  ],
)
def test_what_reacting_at_once_is_worth(trapped, opening, falls_shut, expected):
  assert returns(trapped, opening, falls_shut)[1] == expected


@pytest.mark.parametrize('falls_shut', [True, False])
def test_keeps_the_contract_of_functional_environments(falls_shut):
  env = box_trapped.BoxTrapped(falls_shut=falls_shut)
  conformance.check_functional(env, num_steps=100)


def test_keeps_the_contract_of_dm_env():
  conformance.check_environment(environments.make('box_trapped', seed=1))


def test_sizes():
  env = box_trapped.BoxTrapped()
  assert env.num_agents == 2
  assert env.episode_length == 30
  assert env.num_actions == 8
  assert env.observation_shape == (9, 9, 3)
  assert env.falls_shut


@pytest.mark.parametrize('num_agents', [1, 3])
def test_there_are_always_two(num_agents):
  with pytest.raises(ValueError, match=f'num_agents is {num_agents}'):
    box_trapped.BoxTrapped(num_agents=num_agents)


def test_with_and_without_jit():
  env = box_trapped.BoxTrapped()
  state, _ = jax.jit(env.reset)(jax.random.PRNGKey(3))
  actions = np.array([OPEN, FORWARD])
  chex.assert_trees_all_close(
    env.step(state, actions), jax.jit(env.step)(state, actions)
  )


def test_one_compilation_serves_all_steps():
  chex.clear_trace_counter()  # Other games count as the same function.
  env = box_trapped.BoxTrapped(episode_length=4)
  step = jax.jit(chex.assert_max_traces(env.step, n=1))
  state, _ = jax.jit(env.reset)(jax.random.PRNGKey(0))
  for _ in range(11):  # Into the third episode.
    state, _ = step(state, np.array([OPEN, FORWARD], np.int32))
