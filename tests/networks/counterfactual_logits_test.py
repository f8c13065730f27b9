"""A policy's logits under counterfactual actions of the influencers."""

import functools

import jax
import numpy as np
import pytest
from oracles import network_oracle

from influence_acme import networks

N, A, T, B, I = 4, 3, 5, 2, 2


@functools.lru_cache(maxsize=1)
def _agent():
  agent = networks.make_agent_networks(
    N, A, hidden_size=8, models_others=False, num_influencers=I
  )
  shapes = jax.eval_shape(agent.init, jax.random.PRNGKey(0), _row(0))
  rng = np.random.default_rng(1)
  params = jax.tree_util.tree_map(
    lambda x: rng.normal(0, 0.3, x.shape).astype(np.float32), shapes
  )
  return agent, params


@functools.lru_cache(maxsize=1)
def _observations():
  rng = np.random.default_rng(0)
  return {
    'world': rng.integers(0, 256, (T, B, 4, 5, 3), dtype=np.uint8),
    'actions': rng.integers(-1, A, (T, B, N)).astype(np.int32),
    'influencers': rng.integers(0, A, (T, B, I)).astype(np.int32),
  }


def _row(t):
  return {k: v[t] for k, v in _observations().items()}


def _state(seed):
  rng = np.random.default_rng(seed)
  return jax.tree_util.tree_map(
    lambda x: rng.normal(size=x.shape).astype(np.float32),
    _agent()[0].initial_state(B),
  )


@pytest.mark.parametrize('jit', [True, False])
@pytest.mark.parametrize('sources', [[0, 1], [1]])
def test_counterfactual_logits_equal_the_oracle(jit, sources):
  agent, params = _agent()
  state = _state(2).policy
  step = agent.step_and_counterfactuals
  step = jax.jit(step) if jit else step
  output, next_state, by_entry = step(
    params, _row(0), state, {'influencers': np.array(sources)}
  )
  (logits_by_choice,) = by_entry.values()
  assert logits_by_choice.shape == (B, len(sources), A, A)
  for b in range(B):
    of_b = {k: v[b] for k, v in _row(0).items()}

    def policy(influencers, b=b, of_b=of_b):
      return network_oracle.policy(
        params,
        of_b['world'],
        of_b['actions'],
        (state.hidden[b], state.cell[b]),
        influencers,
      )

    logits, value, after = policy(of_b['influencers'])
    np.testing.assert_allclose(output.logits[b], logits, atol=1e-5)
    np.testing.assert_allclose(output.value[b], value, atol=1e-5)
    np.testing.assert_allclose(next_state.cell[b], after[1], atol=1e-5)
    for s, source in enumerate(sources):
      for choice in range(A):
        counterfactual = of_b['influencers'].copy()
        counterfactual[source] = choice
        expected, _, _ = policy(counterfactual)
        np.testing.assert_allclose(
          logits_by_choice[b, s, choice], expected, atol=1e-5
        )
  assert np.ptp(np.asarray(logits_by_choice), axis=2).max() > 0.01


def test_the_step_equals_the_one_without_counterfactuals():
  agent, params = _agent()
  state = _state(3).policy
  output, next_state, _ = agent.step_and_counterfactuals(
    params, _row(1), state, {'influencers': np.arange(I)}
  )
  expected, expected_state = agent.step(params, _row(1), state)
  np.testing.assert_allclose(output.logits, expected.logits, atol=1e-6)
  np.testing.assert_allclose(output.value, expected.value, atol=1e-6)
  np.testing.assert_allclose(next_state.cell, expected_state.cell, atol=1e-6)


def test_unroll_equals_steps_with_resets():
  agent, params = _agent()
  state = _state(4)
  start = np.random.default_rng(5).random((T, B)) < 0.3
  actions = np.zeros((T, B, N), np.int32)
  output = jax.jit(agent.unroll)(params, _observations(), actions, start, state)
  state = state.policy
  for t in range(T):
    keep = 1.0 - start[t][:, None]
    state = jax.tree_util.tree_map(lambda x, keep=keep: x * keep, state)
    step, state = agent.step(params, _row(t), state)
    np.testing.assert_allclose(output.logits[t], step.logits, atol=1e-5)
    np.testing.assert_allclose(output.value[t], step.value, atol=1e-5)
  assert output.moa_logits is None


def test_an_influencer_observes_no_influencers():
  agent, params = _agent()
  blind = dict(_row(0), influencers=np.full((B, I), -1, np.int32))
  output, _ = agent.step(params, blind, _state(2).policy)
  expected, _, _ = network_oracle.policy(
    params,
    blind['world'][0],
    blind['actions'][0],
    tuple(part[0] for part in _state(2).policy),
    [-1] * I,
  )
  np.testing.assert_allclose(output.logits[0], expected, atol=1e-5)


def test_agents_that_act_at_once_have_no_counterfactual_logits():
  assert networks.make_agent_networks(N, A).step_and_counterfactuals is None


@pytest.mark.parametrize('num_influencers', [-1, N])
def test_one_agent_must_be_an_influencee(num_influencers):
  with pytest.raises(
    ValueError, match=rf'num_influencers is {num_influencers}.*0\.\.3'
  ):
    networks.make_agent_networks(N, A, num_influencers=num_influencers)
