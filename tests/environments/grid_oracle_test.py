"""Random episodes of grid worlds, replayed step for step by slow oracles."""

import jax
import numpy as np
import pytest

from influence_acme.environments import cleanup, harvest
from influence_acme.environments.grid import draws as draws_lib
from influence_acme.testing import cleanup_oracle, harvest_oracle

GAMES = {
  'cleanup': (cleanup.Cleanup, cleanup_oracle.CleanupOracle),
  'harvest': (harvest.Harvest, harvest_oracle.HarvestOracle),
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


def crowd(rng, state):
  """Puts everyone into a small part of the map and takes half of all things."""
  num_agents = len(state.positions)
  rows, columns = state.apples.shape
  side = 4 if num_agents <= 10 else 6
  corner = rng.integers((1, 1), (rows - side, columns - side))
  where = rng.choice(side**2, num_agents, replace=False)
  positions = corner + np.stack(divmod(where, side), axis=1)
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
  ],
)
def test_replay(game, num_agents, num_steps):
  environment_class, oracle_class = GAMES[game]
  env = environment_class(num_agents=num_agents)
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
      state = crowd(rng, state)
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
  ('game', 'num_agents'), [('cleanup', 10), ('harvest', 20)]
)
def test_the_oracle_s_first_observation(game, num_agents):
  environment_class, oracle_class = GAMES[game]
  env = environment_class(num_agents=num_agents)
  draws = random_draws(np.random.default_rng(0), env)
  state = env.start(jax.random.PRNGKey(0), draws)
  oracle = oracle_class(num_agents)
  oracle.reset(draws)
  step = env._step_at(state, np.zeros(num_agents, np.float32))
  np.testing.assert_array_equal(step.observation, oracle.observations())
