"""Messages, and a policy's logits under counterfactual messages."""

import functools

import jax
import numpy as np
import pytest
from oracles import network_oracle

from influence_acme import networks

N, A, M, T, B = 3, 4, 5, 5, 2


@functools.lru_cache(maxsize=1)
def _agent():
  agent = networks.make_agent_networks(
    N, A, hidden_size=8, models_others=False, num_symbols=M, embedding_size=3
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
    'messages': rng.integers(-1, M, (T, B, N)).astype(np.int32),
  }


def _row(t):
  return {k: v[t] for k, v in _observations().items()}


def _state():
  rng = np.random.default_rng(2)
  return jax.tree_util.tree_map(
    lambda x: rng.normal(size=x.shape).astype(np.float32),
    _agent()[0].initial_state(B),
  )


def _oracle(b, t, state, messages=None):
  """Returns the oracle's logits, value, message logits, value, and state."""
  _, params = _agent()
  row = {k: v[b] for k, v in _row(t).items()}
  heard = row['messages'] if messages is None else messages
  logits, value, state = network_oracle.policy(
    params, row['world'], heard, state, num_choices=M
  )
  return logits, value, *network_oracle.message(params, state[0]), state


def _check(output, b, expected):
  logits, value, message_logits, message_value = expected
  np.testing.assert_allclose(output.logits[b], logits, atol=1e-5)
  np.testing.assert_allclose(output.value[b], value, atol=1e-5)
  np.testing.assert_allclose(
    output.message.logits[b], message_logits, atol=1e-5
  )
  np.testing.assert_allclose(output.message.value[b], message_value, atol=1e-5)


@pytest.mark.parametrize('jit', [True, False])
def test_a_step_and_its_counterfactual_logits_equal_the_oracle(jit):
  agent, params = _agent()
  assert (
    agent.step_and_counterfactuals is not None and agent.counterfactuals is None
  )
  step = agent.step_and_counterfactuals
  step = jax.jit(step) if jit else step
  state, speakers = _state().policy, [0, 2]
  sources = {'messages': np.array(speakers)}
  output, next_state, by_entry = step(params, _row(0), state, sources)
  (logits_by_symbol,) = by_entry.values()
  assert logits_by_symbol.shape == (B, len(speakers), M, A)
  for b in range(B):
    before = tuple(part[b] for part in state)
    *expected, after = _oracle(b, 0, before)
    _check(output, b, expected)
    for x, y in zip(next_state, after, strict=True):
      np.testing.assert_allclose(x[b], y, atol=1e-5)
    for s, speaker in enumerate(speakers):
      for symbol in range(M):
        messages = np.array(_row(0)['messages'][b])
        messages[speaker] = symbol
        expected, *_ = _oracle(b, 0, before, messages)
        np.testing.assert_allclose(
          logits_by_symbol[b, s, symbol], expected, atol=1e-5
        )


def test_an_unrolled_sequence_equals_the_oracle_step_by_step():
  agent, params = _agent()
  state = _state()
  start = np.zeros((T, B), bool)
  start[3, 1] = True
  output = jax.jit(agent.unroll)(
    params, _observations(), np.zeros((T, B, N), np.int32), start, state
  )
  for b in range(B):
    own = tuple(part[b] for part in state.policy)
    for t in range(T):
      if start[t, b]:
        own = tuple(np.zeros_like(part) for part in own)
      *expected, own = _oracle(b, t, own)
      row = jax.tree_util.tree_map(lambda x, t=t: x[t], output)
      _check(row, b, expected)


def test_an_agent_without_messages_has_no_such_parameters():
  silent = networks.make_agent_networks(N, A, models_others=False)
  params = jax.eval_shape(silent.init, jax.random.PRNGKey(0), _row(0))
  assert not [name for name in params if 'message' in name]
  assert silent.step_and_counterfactuals is None
