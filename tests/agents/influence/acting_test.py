"""Actor, replay and learner tell the same story, row by row."""

import harness
import jax
import numpy as np
from harness import B, T
from oracles import row_oracle

from influence_acme import networks, types
from influence_acme.system import sequences as sequences_lib


def _row(data, b, t):
  return jax.tree_util.tree_map(lambda x: x[b, t], data)


def _is_dummy(data):
  return data.start_of_episode[:, 1:]


def test_episodes_begin_end_and_meet_inside_sequences(run):
  starts = run.data.start_of_episode
  assert starts.shape == (B, T + 1)
  assert starts[0, 0] and starts[:, 1:].any()
  # An episode of 7 steps has 8 rows.
  stream = np.concatenate([starts[:, :-1].reshape(-1), starts[-1, -1:]])
  np.testing.assert_array_equal(
    np.flatnonzero(stream) % (harness.LENGTH + 1), 0
  )


def test_the_learner_unrolls_the_actors_own_log_probabilities_and_states(run):
  sequences = sequences_lib.to_sequences(
    run.data._replace(
      extras=dict(
        run.data.extras,
        core_state=jax.tree_util.tree_map(
          lambda x: x[:, 0], run.data.extras['core_state']
        ),
      )
    )
  )
  output = jax.vmap(run.networks.agent.unroll)(
    run.params,
    sequences.observation,
    sequences.actions,
    sequences.start_of_episode,
    sequences.core_state,
  )
  is_step = ~np.swapaxes(_is_dummy(run.data), 0, 1)
  learned = jax.nn.log_softmax(output.logits)[:, :-1]
  acted = jax.nn.log_softmax(sequences.behaviour_logits)[:, :-1]
  assert np.abs(np.asarray(acted)).std() > 0.1
  np.testing.assert_allclose(learned[:, is_step], acted[:, is_step], atol=1e-5)

  # States: what a step leads to is what the next row holds.
  for b in range(B):
    for t in range(T - 1):
      if run.data.start_of_episode[b, t + 1 : t + 3].any():
        continue  # The next row is none of this episode's steps.
      row, following = _row(run.data, b, t), _row(run.data, b, t + 1)
      for agent in range(3):
        own = jax.tree_util.tree_map(lambda x, i=agent: x[i], run.params)
        policy, moa = (
          networks.agent.hk.LSTMState(*(part[agent][None] for part in state))
          for state in row.extras['core_state']
        )
        observation = {
          k: row.observation[k][agent][None] for k in ('world', 'actions')
        }
        step, next_policy = run.networks.agent.step(own, observation, policy)
        _, next_moa = run.networks.agent.counterfactuals(
          own, step.moa_features, row.action[None], moa, agent
        )
        for computed, stored in zip(
          (next_policy, next_moa), following.extras['core_state'], strict=True
        ):
          for x, y in zip(computed, stored, strict=True):
            np.testing.assert_allclose(x[0], y[agent], atol=1e-5)


def test_every_row_equals_the_oracle(run):
  data = run.data
  checked = 0
  for b in range(B):
    for t in range(T):
      row = _row(data, b, t)
      if data.start_of_episode[b, t + 1]:
        for name in ('extrinsic', 'influence'):
          assert not row.extras[name].any()
        continue
      # The last row of the sequence may be the padding one: unknown from here.
      if t + 2 > T:
        continue
      is_last_step = data.start_of_episode[b, t + 2]
      expected = row_oracle.recompute(run.params, row, is_last_step)
      np.testing.assert_allclose(
        row.extras['logits'], expected.logits, atol=1e-5
      )
      np.testing.assert_allclose(
        row.extras['influence'], expected.influence, atol=1e-5
      )
      np.testing.assert_allclose(
        row.reward,
        row.extras['extrinsic'] + 2.0 * row.extras['influence'],
        atol=1e-5,
      )
      if is_last_step:
        assert not row.extras['influence'].any()
      else:
        assert row.extras['influence'].max() > 1e-4
      checked += 1
  assert checked > B * T / 2


def test_pmi_stands_in_the_row_of_the_action_that_caused_it(pmi_run):
  run = pmi_run
  data = run.data
  others = np.array([[1, 2], [0, 2], [0, 1]])
  for b in range(B):
    for t in range(T - 2):
      if data.start_of_episode[b, t + 1 : t + 3].any():
        continue
      row = _row(data, b, t)
      realised = data.action[b, t + 1][others]
      probs = np.exp(row_oracle_log_probs(run, row))
      policy = np.asarray(jax.nn.softmax(row.extras['logits']))
      for k in range(3):
        total = 0.0
        for j in range(2):
          given = probs[k, :, j, realised[k, j]]
          total += np.log(given[row.action[k]] / np.dot(policy[k], given))
        np.testing.assert_allclose(row.extras['influence'][k], total, atol=1e-5)


def row_oracle_log_probs(run, row):
  """Log-probabilities [N, K, J, A] of the MOA's answers to a row."""
  logits = []
  for agent in range(3):
    own = jax.tree_util.tree_map(lambda x, i=agent: x[i], run.params)
    _, moa_state = row.extras['core_state']
    answer, _ = row_oracle.network_oracle.counterfactuals(
      own,
      row.observation['world'][agent],
      row.action,
      tuple(part[agent] for part in moa_state),
      agent,
    )
    logits.append(answer)
  return np.asarray(jax.nn.log_softmax(np.stack(logits)))


def test_the_reward_counts_agents_in_view_alone():
  actor_mask = types.others_of_all(3)
  visible = np.array([[0, 1, 0], [1, 0, 0], [1, 1, 0]], bool)
  np.testing.assert_array_equal(
    np.take_along_axis(visible, actor_mask, axis=1),
    [[True, False], [True, False], [True, True]],
  )
