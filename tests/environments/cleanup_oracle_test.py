"""Random episodes of Cleanup, replayed step for step by the slow oracle."""

import jax
import numpy as np
import pytest

from influence_acme.environments import cleanup
from influence_acme.environments.grid import draws as draws_lib
from influence_acme.testing import cleanup_oracle

SHAPE = (25, 18)


def random_draws(rng, num_agents):
  def words(*shape):
    return rng.integers(0, 2**32, shape, np.uint32)

  return draws_lib.Draws(words(*SHAPE), words(num_agents), words(10))


def cells(mask):
  return set(map(tuple, np.argwhere(mask).tolist()))


def check_same(state, oracle):
  assert list(map(tuple, state.positions.tolist())) == oracle.positions
  assert state.headings.tolist() == oracle.headings
  assert cells(state.apples) == oracle.apples
  assert cells(state.waste) == oracle.waste
  assert cells(state.marks) == set(oracle.beams)
  assert len(set(oracle.positions)) == len(oracle.positions)


def crowd(rng, state):
  """Puts everyone into a small part of the map and cleans half of the river."""
  num_agents = len(state.positions)
  corner = rng.integers((1, 1), (21, 14))
  where = rng.choice(16, num_agents, replace=False)
  return state._replace(
    positions=(corner + np.stack(divmod(where, 4), axis=1)).astype(np.int32),
    headings=rng.integers(0, 4, num_agents).astype(np.int32),
    waste=state.waste & (rng.random(SHAPE) < 0.5),
  )


@pytest.mark.parametrize(
  ('num_agents', 'num_steps'), [(1, 200), (2, 200), (5, 1000), (10, 1000)]
)
def test_replay(num_agents, num_steps):
  env = cleanup.Cleanup(num_agents=num_agents)
  rng = np.random.default_rng(num_agents)

  @jax.jit
  def play(state, actions, draws):
    state, reward = env.play(state, actions, draws)
    return state, env._step_at(state, reward), env.visible(state)

  oracle = cleanup_oracle.CleanupOracle(num_agents)
  draws = random_draws(rng, num_agents)
  state = jax.device_get(env.start(jax.random.PRNGKey(0), draws))
  oracle.reset(draws)
  check_same(state, oracle)

  for t in range(num_steps):
    if t % 20 == 0:
      state = crowd(rng, state)
      oracle.load(state)
    # In turn: all actions, and moves only, which gives more conflicts.
    actions = rng.integers(0, 9 if t // 20 % 2 else 4, num_agents)
    draws = random_draws(rng, num_agents)
    state, step, visible = jax.device_get(
      play(state, actions.astype(np.int32), draws)
    )
    rewards = oracle.step(actions.tolist(), draws)
    check_same(state, oracle)
    np.testing.assert_array_equal(step.reward, rewards)
    np.testing.assert_array_equal(visible, oracle.visible())
    if t % 10 < 2:  # The oracle paints slowly.
      np.testing.assert_array_equal(step.observation, oracle.observations())


def test_the_oracle_s_first_observation():
  env = cleanup.Cleanup(num_agents=10)
  draws = random_draws(np.random.default_rng(0), 10)
  state = env.start(jax.random.PRNGKey(0), draws)
  oracle = cleanup_oracle.CleanupOracle(10)
  oracle.reset(draws)
  step = env._step_at(state, np.zeros(10, np.float32))
  np.testing.assert_array_equal(step.observation, oracle.observations())
