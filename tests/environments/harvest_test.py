"""Harvest's episodes and contract."""

import chex
import dm_env
import jax
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.environments import harvest
from influence_acme.environments.grid import colours, levels
from influence_acme.testing import conformance

ORCHARD = levels.HARVEST.mask('a')


def test_first_states():
  env = harvest.Harvest(num_agents=20)
  keys = jax.random.split(jax.random.PRNGKey(0), 100)
  state, step = jax.device_get(jax.jit(jax.vmap(env.reset))(keys))
  assert (state.apples == ORCHARD).all()
  assert (step.step_type == dm_env.StepType.FIRST).all()
  assert not step.reward.any()
  starts = set(map(tuple, levels.HARVEST.starts.tolist()))
  for positions in state.positions:
    assert set(map(tuple, positions.tolist())) == starts
  for i in range(20):
    assert (step.observation[:, i, 7, 7] == colours.AGENTS[i]).all()
    assert len(np.unique(state.positions[:, i], axis=0)) > 10
    assert len(np.unique(state.headings[:, i])) == 4


def test_the_next_episode_begins_with_all_apples():
  env = harvest.Harvest(num_agents=2, episode_length=3)
  step = jax.jit(env.step)
  state, _ = jax.jit(env.reset)(jax.random.PRNGKey(0))
  state = state._replace(apples=np.zeros_like(ORCHARD))
  types = []
  for _ in range(4):
    state, after = step(state, np.array([7, 4], np.int32))
    types.append(int(after.step_type))
  assert types == [1, 1, 2, 0]
  np.testing.assert_array_equal(state.apples, ORCHARD)
  assert not np.any(state.marks)
  np.testing.assert_array_equal(after.reward, [0, 0])


@pytest.mark.parametrize('num_agents', [1, 4, 20])
def test_keeps_the_contract_of_functional_environments(num_agents):
  env = harvest.Harvest(num_agents=num_agents, episode_length=25)
  conformance.check_functional(env, num_steps=60)


def test_keeps_the_contract_of_dm_env():
  env = environments.make('harvest', num_agents=3, episode_length=30, seed=1)
  conformance.check_environment(env)


def test_sizes():
  env = harvest.Harvest()
  assert env.num_agents == 5
  assert env.episode_length == 1000
  assert env.num_actions == 8
  assert env.observation_shape == (15, 15, 3)


@pytest.mark.parametrize(
  ('overrides', 'match'),
  [
    ({'num_agents': 0}, 'num_agents is 0: it must be an integer from 1 to 20'),
    ({'num_agents': 21}, 'num_agents is 21: .* from 1 to 20'),
    ({'episode_length': 0}, 'episode_length is 0: .* integer of at least 1'),
  ],
)
def test_values_out_of_range_raise(overrides, match):
  with pytest.raises(ValueError, match=match):
    harvest.Harvest(**overrides)


def test_with_and_without_jit():
  env = harvest.Harvest(num_agents=2)
  state, _ = jax.jit(env.reset)(jax.random.PRNGKey(3))
  actions = np.array([7, 2])
  chex.assert_trees_all_close(
    env.step(state, actions), jax.jit(env.step)(state, actions)
  )


def test_one_compilation_serves_all_steps():
  chex.clear_trace_counter()  # Other games count as the same function.
  env = harvest.Harvest(num_agents=2, episode_length=4)
  step = jax.jit(chex.assert_max_traces(env.step, n=1))
  state, _ = jax.jit(env.reset)(jax.random.PRNGKey(0))
  for _ in range(11):  # Into the third episode.
    state, _ = step(state, np.array([7, 2], np.int32))
