"""Tests of the influence reward."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import influence_oracle

from influence_acme import ops

INF = np.inf
B, K, J, A = 3, 4, 2, 5  # The sizes of most tests; no two are equal.

_influence = jax.jit(ops.influence_reward, static_argnames='measure')


def _random_arguments(seed=0, batch=(B,)):
  """Arguments in the order of `influence_reward`, and others_actions."""
  rng = np.random.default_rng(seed)
  return (
    rng.normal(size=(*batch, K, J, A)).astype(np.float32) * 3,
    rng.normal(size=(*batch, K)).astype(np.float32) * 3,
    rng.integers(K, size=batch),
    rng.integers(A, size=(*batch, J)),
  )


def _with_impossible(arguments, seed=0):
  """Makes some actions of everyone impossible, never all of a row."""
  conditional, policy, actions, others_actions = arguments
  rng = np.random.default_rng(seed)
  out = rng.random(conditional.shape) < 0.4
  out[..., 0] = False
  conditional = np.where(out, -INF, conditional).astype(np.float32)
  out = rng.random(policy.shape) < 0.4
  np.put_along_axis(out, actions[..., None], False, axis=-1)
  policy = np.where(out, -INF, policy).astype(np.float32)
  return conditional, policy, actions, others_actions


# --- Numbers by hand ---------------------------------------------------------
#
# My policy is (1/4, 3/4). The other does (1/2, 1/2) after my choice 0 and
# (1/6, 5/6) after my choice 1. The marginal is
#   1/4 * 1/2 + 3/4 * 1/6 = 1/4,   1/4 * 1/2 + 3/4 * 5/6 = 3/4.
# After choice 0:
#   KL  = 1/2 log(1/2 : 1/4) + 1/2 log(1/2 : 3/4) = 1/2 log 2 + 1/2 log 2/3
#   JSD: the middle is (3/8, 5/8);
#       KL[conditional || middle] = 1/2 log 4/3 + 1/2 log 4/5
#       KL[marginal || middle] = 1/4 log 2/3 + 3/4 log 6/5
#   PMI = log 2 if the other then takes action 0, log 2/3 if it takes 1.
# After choice 1:
#   KL  = 1/6 log 2/3 + 5/6 log 10/9
#   JSD: the middle is (5/24, 19/24);
#       KL[conditional || middle] = 1/6 log 4/5 + 5/6 log 20/19
#       KL[marginal || middle] = 1/4 log 6/5 + 3/4 log 18/19
#   PMI = log 2/3 for action 0, log 10/9 for action 1.
_LOG = np.log
_HAND_CONDITIONAL = _LOG([[[1 / 2, 1 / 2]], [[1 / 6, 5 / 6]]])  # [K, J=1, A]
_HAND_POLICY = _LOG([1 / 4, 3 / 4])
_HAND_DIVERGENCES = {
  ('kl', 0): (_LOG(2) + _LOG(2 / 3)) / 2,
  ('kl', 1): _LOG(2 / 3) / 6 + _LOG(10 / 9) * 5 / 6,
  ('jsd', 0): (
    (_LOG(4 / 3) + _LOG(4 / 5)) / 2 + _LOG(2 / 3) / 4 + _LOG(6 / 5) * 3 / 4
  )
  / 2,
  ('jsd', 1): (
    (_LOG(4 / 5) / 6 + _LOG(20 / 19) * 5 / 6)
    + (_LOG(6 / 5) / 4 + _LOG(18 / 19) * 3 / 4)
  )
  / 2,
}
_HAND_PMI = {
  (0, 0): _LOG(2),
  (0, 1): _LOG(2 / 3),
  (1, 0): _LOG(2 / 3),
  (1, 1): _LOG(10 / 9),
}


def test_marginal_by_hand():
  marginal = ops.counterfactual_marginal(_HAND_CONDITIONAL, _HAND_POLICY)
  np.testing.assert_allclose(np.exp(marginal), [[1 / 4, 3 / 4]], rtol=1e-6)


@pytest.mark.parametrize('jit', (False, True))
@pytest.mark.parametrize(('measure', 'action'), _HAND_DIVERGENCES)
def test_divergence_by_hand(measure, action, jit):
  influence = _influence if jit else ops.influence_reward
  output = influence(_HAND_CONDITIONAL, _HAND_POLICY, action, measure=measure)
  expected = _HAND_DIVERGENCES[measure, action]
  np.testing.assert_allclose(output.reward, expected, rtol=1e-5)
  np.testing.assert_allclose(output.per_agent, [expected], rtol=1e-5)
  np.testing.assert_allclose(
    np.exp(output.marginal_log_probs), [[1 / 4, 3 / 4]], rtol=1e-6
  )
  np.testing.assert_allclose(
    output.conditional_log_probs, _HAND_CONDITIONAL[action], rtol=1e-6
  )


@pytest.mark.parametrize(('action', 'others_action'), _HAND_PMI)
def test_pmi_by_hand(action, others_action):
  output = _influence(
    _HAND_CONDITIONAL,
    _HAND_POLICY,
    action,
    measure='pmi',
    others_actions=np.array([others_action]),
  )
  expected = _HAND_PMI[action, others_action]
  np.testing.assert_allclose(output.reward, expected, rtol=1e-5)


def test_two_others_by_hand():
  # One copies me, the other always does the same. I do 0 with probability 1/8:
  # the copier's KL is 1 * log(1 : 1/8) = log 8 if I do 0, log 8/7 if I do 1.
  copies = [[0, -INF], [-INF, 0]]
  ignores = [[0.0, 1.0], [0.0, 1.0]]
  conditional = np.stack([copies, ignores], axis=1)  # [K, J, A]
  policy = np.log([1 / 8, 7 / 8])
  for action, expected in ((0, np.log(8)), (1, np.log(8 / 7))):
    output = _influence(conditional, policy, action)
    np.testing.assert_allclose(output.per_agent, [expected, 0], atol=1e-6)
    np.testing.assert_allclose(output.reward, expected, atol=1e-6)


def test_logits_need_not_be_normalised():
  conditional, policy, actions, _ = _random_arguments()
  expected = _influence(conditional, policy, actions)
  shifted = _influence(conditional + 7, policy - 3, actions)
  chex.assert_trees_all_close(shifted, expected, atol=1e-5)


# --- The oracle, and the ways to call ----------------------------------------


@pytest.mark.parametrize('impossible', (False, True))
@pytest.mark.parametrize('batch', ((), (3,), (2, 3)))
@pytest.mark.parametrize('measure', ops.MEASURES)
def test_agrees_with_oracle(measure, batch, impossible):
  arguments = _random_arguments(seed=1, batch=batch)
  if impossible:
    arguments = _with_impossible(arguments)
  *arguments, others_actions = arguments
  options = {
    'measure': measure,
    'others_actions': others_actions,
    'mask': np.random.default_rng(2).random((*batch, J)) < 0.7,
  }
  output = _influence(*arguments, **options)
  with np.errstate(divide='ignore'):
    reward, per_agent = influence_oracle.influence_reward(*arguments, **options)
  assert output.reward.shape == batch
  np.testing.assert_allclose(output.per_agent, per_agent, atol=2e-6)
  np.testing.assert_allclose(output.reward, reward, atol=2e-6)
  np.testing.assert_allclose(
    np.exp(output.marginal_log_probs),
    influence_oracle.counterfactual_marginal(*arguments[:2]),
    atol=2e-6,
  )


@pytest.mark.parametrize('measure', ops.MEASURES)
def test_vmap_equals_batch_axes(measure):
  *arguments, others_actions = _random_arguments(batch=(2, 3))
  mask = np.array([[1, 0], [1, 1], [0, 0]], bool)[None].repeat(2, axis=0)

  def influence(*arguments, others_actions, mask):
    return _influence(
      *arguments, measure=measure, others_actions=others_actions, mask=mask
    )

  options = {'others_actions': others_actions, 'mask': mask}
  expected = influence(*arguments, **options)
  mapped = jax.jit(jax.vmap(jax.vmap(influence)))(*arguments, **options)
  chex.assert_trees_all_close(mapped, expected, atol=1e-6)


def test_compiles_once():
  chex.clear_trace_counter()
  influence = jax.jit(chex.assert_max_traces(ops.influence_reward, n=1))
  for seed in range(3):
    influence(*_random_arguments(seed)[:3])


@pytest.mark.parametrize('sizes', ((1, J, A), (K, 0, A), (K, J, 1)))
def test_nothing_to_choose_or_nobody_to_influence(sizes):
  conditional = np.random.default_rng(0).normal(size=(B, *sizes))
  policy = np.random.default_rng(1).normal(size=(B, sizes[0]))
  output = _influence(conditional, policy, np.zeros(B, np.int32))
  assert output.per_agent.shape == (B, sizes[1])
  assert output.marginal_log_probs.shape == (B, *sizes[1:])
  assert output.conditional_log_probs.shape == (B, *sizes[1:])
  np.testing.assert_allclose(output.reward, np.zeros(B), atol=1e-6)


def _enable_x64():
  """JAX's switch, which lies elsewhere in older versions."""
  if hasattr(jax, 'enable_x64'):
    return jax.enable_x64(True)
  return jax.experimental.enable_x64()


@pytest.mark.parametrize('measure', ops.MEASURES)
@pytest.mark.parametrize('dtype', (jnp.bfloat16, np.float16, np.float64))
def test_any_float_gives_float32(dtype, measure):
  conditional, policy, actions, others_actions = _random_arguments()
  with _enable_x64():
    conditional = jnp.asarray(conditional, dtype)
    policy = jnp.asarray(policy, dtype)
    options = {'measure': measure, 'others_actions': others_actions}
    output = _influence(conditional, policy, actions, **options)
    marginal = ops.counterfactual_marginal(conditional, policy)
  chex.assert_type([*output, marginal], jnp.float32)
  rounded = np.asarray(conditional, np.float32), np.asarray(policy, np.float32)
  expected = _influence(*rounded, actions, **options)
  chex.assert_trees_all_close(output, expected, atol=1e-6)


@pytest.mark.parametrize('measure', ops.MEASURES)
def test_large_logits_are_stable(measure):
  # The copier of `test_two_others_by_hand` whose logits are merely large: all
  # three measures are what they are for -inf, since exp(-1e4) is 0.
  # log 4: I do 0 with probability 1/4. JSD: p = (1, 0), q = (1/4, 3/4), the
  # middle is (5/8, 3/8): (log 8/5 + 1/4 log 2/5 + 3/4 log 2) / 2.
  conditional = np.array([[[1e4, 0.0]], [[-1e30, 1e30]]])
  policy = np.log([1 / 4, 3 / 4]) + 1e2
  output = _influence(
    conditional, policy, 0, measure=measure, others_actions=np.array([0])
  )
  jsd = (np.log(8 / 5) + np.log(2 / 5) / 4 + np.log(2) * 3 / 4) / 2
  expected = {'kl': np.log(4), 'jsd': jsd, 'pmi': np.log(4)}[measure]
  np.testing.assert_allclose(output.reward, expected, rtol=1e-4)


# --- Masks, impossible actions, NaN, gradients -------------------------------


@pytest.mark.parametrize('jit', (False, True))
@pytest.mark.parametrize('measure', ops.MEASURES)
def test_masked_others_count_0_even_if_nan(measure, jit):
  conditional, policy, actions, others_actions = _random_arguments()
  options = {'measure': measure, 'others_actions': others_actions}
  everyone = _influence(conditional, policy, actions, **options)
  mask = np.array([[True, False], [False, False], [True, True]])
  conditional[0, 1, 1, 3] = np.nan
  conditional[1, :, 0] = -INF
  # Not the same test twice: XLA turns a product with a mask into a choice.
  influence = _influence if jit else ops.influence_reward
  output = influence(conditional, policy, actions, mask=mask, **options)
  expected = np.where(mask, everyone.per_agent, 0)
  np.testing.assert_allclose(output.per_agent, expected, atol=1e-6)
  np.testing.assert_allclose(output.reward, expected.sum(-1), atol=1e-6)


@pytest.mark.parametrize('measure', ops.MEASURES)
def test_choices_i_never_make_do_not_enter_the_marginal(measure):
  conditional, policy, actions, others_actions = _random_arguments()
  actions = np.zeros(B, np.int32)
  policy[:, 2] = -INF
  options = {'measure': measure, 'others_actions': others_actions}
  output = _influence(conditional, policy, actions, **options)
  kept = [0, 1, 3]
  expected = _influence(
    conditional[:, kept], policy[:, kept], actions, **options
  )
  chex.assert_trees_all_close(output, expected, atol=1e-6)


def test_influence_of_a_choice_i_never_make():
  # I always do 1, and the other copies me. Had I done 0, the other would have
  # done what it never does: infinitely surprising, KL = log(1 : 0). The JSD of
  # two distributions that share nothing is log 2.
  conditional = np.array([[[0, -INF]], [[-INF, 0]]])
  policy = np.array([-INF, 0])
  kl = _influence(conditional, policy, 0)
  assert kl.reward == INF
  jsd = _influence(conditional, policy, 0, measure='jsd')
  np.testing.assert_allclose(jsd.reward, np.log(2), rtol=1e-6)


def test_pmi_of_impossible_actions():
  # The other does 0 or 1 after my choice 0, only 0 after choice 1, never 2.
  conditional = np.array([[[0, 0, -INF]], [[0, -INF, -INF]]])
  policy = np.zeros(2)

  def pmi(action, others_action):
    return _influence(
      conditional,
      policy,
      action,
      measure='pmi',
      others_actions=np.array([others_action]),
    ).reward

  np.testing.assert_allclose(pmi(0, 1), np.log(2), rtol=1e-6)
  assert pmi(1, 1) == -INF
  assert pmi(0, 2) == 0  # Impossible whatever I do: I had no influence.


@pytest.mark.parametrize('measure', ops.MEASURES)
@pytest.mark.parametrize('broken', (np.nan, -INF))
def test_broken_distribution_of_one_other_shows_there_alone(broken, measure):
  # Whichever of my choices the broken row belongs to, taken or not.
  conditional, policy, actions, others_actions = _random_arguments()
  options = {'measure': measure, 'others_actions': others_actions}
  whole = _influence(conditional, policy, actions, **options)
  for choice in range(K):
    hurt = conditional.copy()
    hurt[1, choice, 0] = broken
    output = _influence(hurt, policy, actions, **options)
    expected = np.array(whole.per_agent)
    expected[1, 0] = np.nan
    np.testing.assert_allclose(output.per_agent, expected, atol=1e-6)
    np.testing.assert_array_equal(np.isnan(output.reward), [False, True, False])


@pytest.mark.parametrize('measure', ops.MEASURES)
@pytest.mark.parametrize('broken', (np.nan, -INF))
def test_broken_own_policy_shows_for_all_others(broken, measure):
  conditional, policy, actions, others_actions = _random_arguments()
  policy[2] = broken
  output = _influence(
    conditional, policy, actions, measure=measure, others_actions=others_actions
  )
  np.testing.assert_array_equal(
    np.isnan(output.per_agent), [[False] * J, [False] * J, [True] * J]
  )


@pytest.mark.parametrize('measure', ops.MEASURES)
@pytest.mark.parametrize('hurt', (False, True))
def test_no_gradient_flows(hurt, measure):
  conditional, policy, actions, others_actions = _with_impossible(
    _random_arguments()
  )
  if hurt:
    conditional[0, 0, 0, 0] = np.nan

  def total(conditional, policy, scale):
    output = _influence(
      conditional * scale,
      policy * scale,
      actions,
      measure=measure,
      others_actions=others_actions,
    )
    return sum(field.sum() for field in output)

  gradients = jax.grad(total, argnums=(0, 1, 2))(conditional, policy, 1.0)
  for gradient in gradients:
    np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


# --- Wrong arguments ---------------------------------------------------------


def test_unknown_measure_is_refused():
  with pytest.raises(ValueError, match="Unknown measure 'l2'.* kl, jsd, pmi"):
    ops.influence_reward(*_random_arguments()[:3], measure='l2')


def test_pmi_without_others_actions_is_refused():
  with pytest.raises(ValueError, match='needs others_actions'):
    _influence(*_random_arguments()[:3], measure='pmi')


@pytest.mark.parametrize(
  ('change', 'message'),
  (
    ({'conditional_logits': np.zeros((J, A))}, 'conditional_logits'),
    ({'policy_logits': np.zeros((B, A))}, 'policy_logits'),
    ({'policy_logits': np.zeros(K)}, 'policy_logits'),
    ({'actions': np.zeros(B)}, 'type'),
    ({'actions': np.zeros((B, 1), int)}, 'actions'),
    ({'others_actions': np.zeros((B, J + 1), int)}, 'others_actions'),
    ({'others_actions': np.zeros((B, J))}, 'type'),
    ({'mask': np.ones(B, bool)}, 'mask'),
  ),
)
def test_wrong_shapes_and_types_are_refused(change, message):
  conditional, policy, actions, others_actions = _random_arguments()
  arguments = {
    'conditional_logits': conditional,
    'policy_logits': policy,
    'actions': actions,
    'others_actions': others_actions,
    'mask': np.ones((B, J), bool),
  }
  _influence(**arguments, measure='pmi')
  with pytest.raises(AssertionError, match=message):
    ops.influence_reward(**{**arguments, **change}, measure='pmi')


@pytest.mark.parametrize('jit', (False, True))
def test_influential_steps_by_hand(jit):
  influential_steps = (
    jax.jit(ops.influential_steps) if jit else ops.influential_steps
  )
  # Means: 1.5; 2.25; a number that is not rounded well; none.
  influence = np.array(
    [[0, 9, 0.1, 0], [1, 0, 0.1, 0], [2, 0, 0.1, 0], [3, 0, 0.1, 0]]
  )
  expected = np.zeros((4, 4), bool)
  expected[2:, 0] = expected[0, 1] = True
  np.testing.assert_array_equal(influential_steps(influence), expected)
