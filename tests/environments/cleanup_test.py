"""Cleanup's episodes and contract."""

import functools

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from influence_acme import environments
from influence_acme.environments import cleanup
from influence_acme.environments.grid import colours, levels, moves
from influence_acme.testing import conformance

SHAPE = (25, 18)
FIRE, CLEAN = moves.Action.FIRE, moves.Action.CLEAN


SMALL = cleanup.Cleanup(num_agents=2, episode_length=4)


@functools.cache
def compiled():
  """Returns SMALL's functions."""
  return jax.jit(SMALL.reset), jax.jit(SMALL.step)


@functools.cache
def resets(num_agents, num_keys):
  env = cleanup.Cleanup(num_agents=num_agents)
  keys = jax.random.split(jax.random.PRNGKey(0), num_keys)
  return jax.device_get(jax.jit(jax.vmap(env.reset))(keys))


def test_first_states():
  state, step = resets(5, 500)
  assert not state.apples.any()
  assert (state.waste == levels.CLEANUP.mask('w')).all()
  assert (step.step_type == dm_env.StepType.FIRST).all()
  assert not step.reward.any()
  assert (step.discount == 1).all()
  starts = set(map(tuple, levels.CLEANUP.starts.tolist()))
  for positions in state.positions:
    agents = set(map(tuple, positions.tolist()))
    assert len(agents) == 5
    assert agents <= starts


def test_starts_and_headings_are_uniform():
  state, _ = resets(5, 500)
  for agent in range(5):
    _, counts = np.unique(state.positions[:, agent], axis=0, return_counts=True)
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > 1e-3
    _, counts = np.unique(state.headings[:, agent], return_counts=True)
    assert len(counts) == 4
    assert stats.chisquare(counts).pvalue > 1e-3


def test_ten_agents_fill_all_starts():
  state, _ = resets(10, 3)
  for positions in state.positions:
    assert len(np.unique(positions, axis=0)) == 10


def test_the_first_observation_holds_the_agents():
  state, step = resets(10, 3)
  for i in range(10):
    assert (step.observation[:, i, 7, 7] == colours.AGENTS[i]).all()
  seen = (step.observation == colours.AGENTS[3]).all(axis=-1).any(axis=(2, 3))
  distance = np.abs(state.positions - state.positions[:, 3:4]).max(axis=-1)
  np.testing.assert_array_equal(seen, distance <= 7)


def test_beams_are_in_the_observations():
  reset, step = compiled()
  state, _ = reset(jax.random.PRNGKey(0))
  state = state._replace(
    positions=jnp.array([(12, 9), (20, 9)]), headings=jnp.array([0, 1])
  )
  _, after = step(state, jnp.array([FIRE, CLEAN]))
  lanes = np.zeros((15, 15), bool)
  lanes[2:7, 7] = lanes[3:8, 6] = lanes[3:8, 8] = True
  for i, colour in ((0, colours.FIRING), (1, colours.CLEANING)):
    view = np.asarray(after.observation[i])
    np.testing.assert_array_equal((view == colour).all(axis=-1), lanes)


def test_a_time_limit_ends_the_episode_and_the_next_begins():
  reset, step = compiled()
  state, _ = reset(jax.random.PRNGKey(0))
  starts = [(state.positions.tolist(), state.headings.tolist())]
  for _ in range(2):
    for t in range(1, 5):
      state, after = step(state, jnp.array([FIRE, FIRE]))
      last = t == 4
      expected = dm_env.StepType.LAST if last else dm_env.StepType.MID
      assert after.step_type == expected
      assert after.discount == 1
      assert np.all(after.reward <= -1)
    state, after = step(state, jnp.array([FIRE, FIRE]))
    assert after.step_type == dm_env.StepType.FIRST
    np.testing.assert_array_equal(after.reward, [0, 0])
    assert after.discount == 1
    assert state.time == 0
    np.testing.assert_array_equal(state.waste, levels.CLEANUP.mask('w'))
    assert not np.any(state.marks)
    starts.append((state.positions.tolist(), state.headings.tolist()))
  assert starts[0] != starts[1] != starts[2]


def test_keeps_the_contract_of_functional_environments():
  env = cleanup.Cleanup(num_agents=4, episode_length=25)
  conformance.check_functional(env, num_steps=60)


@pytest.mark.parametrize('num_agents', [1, 10])
def test_few_and_many_agents(num_agents):
  env = cleanup.Cleanup(num_agents=num_agents)
  state, step = jax.eval_shape(env.reset, jax.random.PRNGKey(0))
  actions = np.zeros(num_agents, np.int32)
  assert jax.eval_shape(env.step, state, actions) == (state, step)
  assert step.observation.shape == (num_agents, 15, 15, 3)
  assert step.reward.shape == (num_agents,)


def test_keeps_the_contract_of_dm_env():
  env = environments.make('cleanup', num_agents=3, episode_length=30, seed=1)
  conformance.check_environment(env)


def test_sizes():
  env = cleanup.Cleanup()
  assert env.num_agents == 5
  assert env.episode_length == 1000
  assert env.num_actions == 9
  assert env.observation_shape == (15, 15, 3)
  assert env.agent_ids == tuple(f'agent_{i}' for i in range(5))


@pytest.mark.parametrize(
  ('overrides', 'match'),
  [
    ({'num_agents': 0}, 'num_agents is 0: it must be an integer from 1 to 10'),
    ({'num_agents': 11}, 'num_agents is 11: .* from 1 to 10'),
    ({'num_agents': 2.0}, 'num_agents is 2.0: .* integer'),
    ({'episode_length': 0}, 'episode_length is 0: .* integer of at least 1'),
    ({'episode_length': None}, 'episode_length is None: .* integer'),
  ],
)
def test_values_out_of_range_raise(overrides, match):
  with pytest.raises(ValueError, match=match):
    cleanup.Cleanup(**overrides)


# Purity.


def test_equal_keys_play_equal_episodes_and_others_do_not():
  env = cleanup.Cleanup(num_agents=3)

  @jax.jit
  @jax.vmap
  def rollout(key):
    def step(state, actions):
      state, after = env.step(state, actions)
      return state, (after, env.visible(state))

    state, _ = env.reset(key)
    state = state._replace(waste=jnp.zeros(SHAPE, bool))
    actions = jnp.arange(60 * 3).reshape(60, 3) % 9
    return jax.lax.scan(step, state, actions)

  seeds = jnp.array([1, 2, 1])
  results = rollout(jax.vmap(jax.random.PRNGKey)(seeds))
  first, other, again = (
    jax.tree_util.tree_map(lambda x, i=i: x[i], results) for i in range(3)
  )
  chex.assert_trees_all_equal(first, again)
  assert not np.array_equal(first[0].apples, other[0].apples)
  assert not np.array_equal(first[0].positions, other[0].positions)


def test_with_and_without_jit():
  reset, step = compiled()
  state, _ = reset(jax.random.PRNGKey(3))
  actions = np.array([FIRE, CLEAN])
  chex.assert_trees_all_close(SMALL.step(state, actions), step(state, actions))


def test_one_compilation_serves_all_steps():
  chex.clear_trace_counter()  # Other games count as the same function.
  step = jax.jit(chex.assert_max_traces(SMALL.step, n=1))
  state, _ = compiled()[0](jax.random.PRNGKey(0))
  for _ in range(11):  # Into the third episode.
    state, _ = step(state, np.array([FIRE, CLEAN], np.int32))
