"""Values inside of compiled functions are checked in debug mode."""

import jax
import numpy as np
import pytest

from influence_acme import ops

CONDITIONAL = np.zeros((2, 3, 2, 3), np.float32)
POLICY = np.zeros((2, 3), np.float32)


def _call(actions, mask):
  @jax.jit  # Traced anew, as the mode is read while JAX compiles.
  def influence(actions, mask):
    return ops.influence_reward(CONDITIONAL, POLICY, actions, mask=mask).reward

  result = jax.block_until_ready(influence(np.array(actions), np.array(mask)))
  jax.effects_barrier()
  return result


BAD = [
  ([0, 3], np.ones((2, 2), bool), 'actions holds 3: it must be in 0..2'),
  ([-1, 0], np.ones((2, 2), bool), 'actions holds -1'),
  ([0, 0], np.full((2, 2), 0.5), 'mask holds 0.5'),
  ([0, 0], np.full((2, 2), np.nan), 'mask holds nan'),
]


@pytest.mark.parametrize(('actions', 'mask', 'message'), BAD)
def test_a_bad_value_is_an_error_in_debug_mode(
  monkeypatch, actions, mask, message
):
  _call(actions, mask)  # NaN shows it without debug mode.
  monkeypatch.setenv('INFLUENCE_ACME_DEBUG', '1')
  with pytest.raises(Exception, match=message):
    _call(actions, mask)


def test_absent_actions_that_are_masked_out_are_none(monkeypatch):
  monkeypatch.setenv('INFLUENCE_ACME_DEBUG', '1')
  mask = np.array([[True, True], [False, False]])
  np.testing.assert_array_equal(_call([0, -1], mask), [0, 0])


def test_eager_calls_are_checked_in_debug_mode(monkeypatch):
  monkeypatch.setenv('INFLUENCE_ACME_DEBUG', '1')
  with pytest.raises(ValueError, match='actions holds 7: it must be in 0..2'):
    ops.influence_reward(CONDITIONAL, POLICY, np.array([7, 0]))
