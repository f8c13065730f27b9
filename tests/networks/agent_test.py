"""The agent's record: against the NumPy oracle, itself, and its neighbours."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import network_oracle

from influence_acme import networks

N, A, T, B = 3, 4, 6, 2


@functools.lru_cache(maxsize=1)
def _agent():
  agent = networks.make_agent_networks(N, A, hidden_size=8)
  observation = jax.tree_util.tree_map(lambda x: x[0], _observations())
  params = jax.jit(agent.init)(jax.random.PRNGKey(0), observation)
  # Biases begin at 0, which would hide a bias that is forgotten.
  leaves, tree = jax.tree_util.tree_flatten(params)
  keys = jax.random.split(jax.random.PRNGKey(1), len(leaves))
  leaves = [
    x + 0.1 * jax.random.normal(k, x.shape)
    for x, k in zip(leaves, keys, strict=True)
  ]
  return agent, jax.tree_util.tree_unflatten(tree, leaves)


def _observations():
  rng = np.random.default_rng(0)
  world = rng.integers(0, 256, (T, B, 7, 6, 3), dtype=np.uint8)
  last_actions = rng.integers(-1, A, (T, B, N)).astype(np.int32)
  return {'world': world, 'actions': last_actions}


def _actions():
  return np.random.default_rng(1).integers(0, A, (T, B, N)).astype(np.int32)


def _state(seed):
  rng = np.random.default_rng(seed)
  leaves, tree = jax.tree_util.tree_flatten(_agent()[0].initial_state(B))
  leaves = [rng.normal(size=x.shape).astype(np.float32) for x in leaves]
  return jax.tree_util.tree_unflatten(tree, leaves)


def _row(t):
  return {k: v[t] for k, v in _observations().items()}


@pytest.mark.parametrize('jit', [True, False])
def test_step_equals_the_oracle(jit):
  agent, params = _agent()
  state = _state(2)
  step = jax.jit(agent.step) if jit else agent.step
  output, next_state = step(params, _row(0), state.policy)
  for b in range(B):
    logits, value, after = network_oracle.policy(
      params,
      _row(0)['world'][b],
      _row(0)['actions'][b],
      (state.policy.hidden[b], state.policy.cell[b]),
    )
    np.testing.assert_allclose(output.logits[b], logits, atol=1e-5)
    np.testing.assert_allclose(output.value[b], value, atol=1e-5)
    np.testing.assert_allclose(next_state.hidden[b], after[0], atol=1e-5)
    np.testing.assert_allclose(next_state.cell[b], after[1], atol=1e-5)


@pytest.mark.parametrize('own_index', range(N))
@pytest.mark.parametrize('jit', [True, False])
def test_counterfactuals_equal_the_oracle(own_index, jit):
  agent, params = _agent()
  state = _state(3)
  features = agent.step(params, _row(0), state.policy)[0].moa_features
  ask = jax.jit(agent.counterfactuals) if jit else agent.counterfactuals
  logits, next_state = ask(
    params, features, _actions()[0], state.moa, own_index
  )
  assert logits.shape == (B, A, N - 1, A)
  for b in range(B):
    expected, after = network_oracle.counterfactuals(
      params,
      _row(0)['world'][b],
      _actions()[0, b],
      (state.moa.hidden[b], state.moa.cell[b]),
      own_index,
    )
    np.testing.assert_allclose(logits[b], expected, atol=1e-5)
    np.testing.assert_allclose(next_state.hidden[b], after[0], atol=1e-5)


def test_unroll_equals_steps_with_resets():
  agent, params = _agent()
  state = _state(4)
  start = np.random.default_rng(5).random((T, B)) < 0.3
  output = jax.jit(agent.unroll)(
    params, _observations(), _actions(), start, state
  )
  for t in range(T):
    keep = 1.0 - start[t][:, None]
    state = jax.tree_util.tree_map(lambda x, keep=keep: x * keep, state)
    step, policy_state = agent.step(params, _row(t), state.policy)
    logits_by_action, moa_state = agent.counterfactuals(
      params, step.moa_features, _actions()[t], state.moa, 1
    )
    real = logits_by_action[np.arange(B), _actions()[t][:, 1]]
    np.testing.assert_allclose(output.logits[t], step.logits, atol=1e-5)
    np.testing.assert_allclose(output.value[t], step.value, atol=1e-5)
    np.testing.assert_allclose(output.moa_logits[t], real, atol=1e-5)
    state = networks.CoreState(policy_state, moa_state)


def test_the_own_action_really_taken_is_not_read():
  agent, params = _agent()
  state = _state(6)
  features = np.ones((B, 32), np.float32)
  actions = _actions()[0]
  other = actions.copy()
  other[:, 2] = (other[:, 2] + 1) % A
  first, _ = agent.counterfactuals(params, features, actions, state.moa, 2)
  second, _ = agent.counterfactuals(params, features, other, state.moa, 2)
  np.testing.assert_array_equal(first, second)


def test_a_population_is_a_vmap_and_compiles_once():
  agent, _ = _agent()
  keys = jax.random.split(jax.random.PRNGKey(7), N)
  params = jax.jit(jax.vmap(agent.init, (0, None)))(keys, _row(0))
  chex.clear_trace_counter()

  @jax.jit
  @chex.assert_max_traces(n=1)
  def population(params, features, actions, state):
    return jax.vmap(agent.counterfactuals, in_axes=(0, None, None, None, 0))(
      params, features, actions, state, jnp.arange(N)
    )[0]

  features = np.ones((B, 32), np.float32)
  state = _state(8).moa
  for t in range(2):
    logits = population(params, features, _actions()[t], state)
  for i in range(N):
    mine = jax.tree_util.tree_map(lambda x, i=i: x[i], params)
    expected, _ = agent.counterfactuals(mine, features, _actions()[1], state, i)
    np.testing.assert_allclose(logits[i], expected, atol=1e-5)


def test_the_first_policy_is_nearly_uniform_and_sizes_are_the_papers():
  agent = networks.make_agent_networks(5, 9)
  observation = {
    'world': np.full((1, 15, 15, 3), 200, np.uint8),
    'actions': np.full((1, 5), -1, np.int32),
  }
  params = jax.jit(agent.init)(jax.random.PRNGKey(0), observation)
  output, state = agent.step(params, observation, agent.initial_state(1).policy)
  assert np.abs(np.asarray(output.logits)).max() < 0.1
  assert state.hidden.shape == (1, 128)
  assert params['pixel_conv']['w'].shape == (27, 6)
  assert params['dense']['w'].shape == (1014, 2 * 32)
  assert params['moa_core/~/others']['w'].shape == (128, 4 * 9)


def test_an_agent_alone_is_refused():
  with pytest.raises(ValueError, match='num_agents is 1.* of at least 2'):
    networks.make_agent_networks(1, 9)
