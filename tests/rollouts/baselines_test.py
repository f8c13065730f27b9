"""Both ways of playing write the same rows for agents paid no influence."""

import jax
import numpy as np
import pytest
import two_ways


@pytest.mark.parametrize('variant', ['baseline', 'moa_baseline'])
def test_rows_agree_and_pay_no_influence(variant):
  # An episode and its last row end inside of unrolls of 6.
  game = two_ways.Game(
    'coordination',
    num_agents=3,
    episode_length=7,
    config={'variant': variant},
  )
  expected, actual = game.step_by_step(), game.vectorised()
  assert actual.start_of_episode[:, :, 1:].any()
  for name in ('observation', 'action', 'discount', 'start_of_episode'):
    jax.tree_util.tree_map(
      np.testing.assert_array_equal,
      getattr(actual, name),
      getattr(expected, name),
    )
  assert actual.extras.keys() == expected.extras.keys()
  for name in ('extrinsic', 'learner_steps'):
    np.testing.assert_array_equal(actual.extras[name], expected.extras[name])
  log_probs = jax.nn.log_softmax(actual.extras['logits'])
  assert np.abs(log_probs).max() > 1.5
  np.testing.assert_allclose(
    log_probs, jax.nn.log_softmax(expected.extras['logits']), atol=1e-5
  )
  for x, y in zip(
    jax.tree_util.tree_leaves(actual.extras['core_state']),
    jax.tree_util.tree_leaves(expected.extras['core_state']),
    strict=True,
  ):
    assert np.abs(y[:, 1:, 0]).max() > 1e-2
    np.testing.assert_allclose(x[:, :, 0], y[:, :, 0], atol=1e-5)
  np.testing.assert_allclose(
    actual.extras['influence'], expected.extras['influence'], atol=1e-5
  )
  # Who has a model of others has influence all the same.
  largest = np.abs(actual.extras['influence']).max()
  assert largest > 1e-3 if variant == 'moa_baseline' else largest == 0
  for rows in (expected, actual):
    assert rows.extras['extrinsic'].any()
    np.testing.assert_array_equal(rows.reward, rows.extras['extrinsic'])
