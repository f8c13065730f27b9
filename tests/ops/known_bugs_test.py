"""Bugs that published implementations of the paper had, one test for each."""

import functools

import jax
import numpy as np
from oracles import influence_oracle

from influence_acme import ops

B, K, J, A = 3, 4, 2, 5

_influence = jax.jit(ops.influence_reward, static_argnames='measure')
_moa_loss = jax.jit(ops.moa_loss)


def _random_arguments(seed=0, batch=B):
  """Arguments in the order of `influence_reward`, and others_actions."""
  rng = np.random.default_rng(seed)
  return (
    rng.normal(size=(batch, K, J, A)) * 3,
    rng.normal(size=(batch, K)) * 3,
    rng.integers(K, size=batch),
    rng.integers(A, size=(batch, J)),
  )


def test_marginal_weighted_along_the_others_action_axis():
  # The bug: sum over my choices with equal weights, then weight the result
  # with my policy along the other's actions. With K = A it even runs.
  rng = np.random.default_rng(0)
  size = 4
  conditional = rng.normal(size=(size, J, size))
  policy = rng.normal(size=size)
  probs = np.apply_along_axis(influence_oracle.softmax, -1, conditional)
  mine = influence_oracle.softmax(policy)
  wrong = probs.sum(0) * mine[None, :]
  wrong /= wrong.sum(-1, keepdims=True)
  right = sum(mine[k] * probs[k] for k in range(size))

  marginal = np.exp(ops.counterfactual_marginal(conditional, policy))
  np.testing.assert_allclose(marginal, right, atol=1e-6)
  np.testing.assert_allclose(marginal.sum(-1), 1, atol=1e-6)
  assert np.abs(marginal - wrong).max() > 0.05

  # Its symptom: somebody who ignores me seems influenced.
  ignores_me = np.broadcast_to(conditional[:1], conditional.shape)
  output = _influence(ignores_me, policy, 1)
  np.testing.assert_allclose(output.per_agent, 0, atol=1e-6)


def test_off_by_one_between_reward_counterfactual_and_action():
  # Row t depends on row t of every argument and on no other, and the reward
  # stays in that row: nothing is shifted or padded.
  arguments = _random_arguments(batch=5)
  other = _random_arguments(seed=1, batch=5)
  for measure in ops.MEASURES:
    influence = functools.partial(_influence, measure=measure)
    *first, others_actions = arguments
    before = influence(*first, others_actions=others_actions)
    for t in range(5):
      mixed = [x.copy() for x in arguments]
      for x, y in zip(mixed, other, strict=True):
        x[t] = y[t]
      *first, others_actions = mixed
      after = influence(*first, others_actions=others_actions)
      changed = np.any(after.per_agent != before.per_agent, axis=-1)
      np.testing.assert_array_equal(changed, np.arange(5) == t)


def test_wrong_step_visibility_of_the_reward():
  conditional, policy, actions, _ = _random_arguments(batch=4)
  visible = np.array([[0, 0], [1, 1], [0, 0], [0, 1]], bool)
  output = _influence(conditional, policy, actions, mask=visible)
  np.testing.assert_array_equal(output.per_agent > 0, visible)


def test_kl_is_all_zeros_if_one_entry_is_not_finite():
  conditional, policy, actions, _ = _random_arguments()
  whole = _influence(conditional, policy, actions)
  conditional[0, 0, 0, 0] = np.nan
  output = _influence(conditional, policy, actions)
  assert np.isnan(output.reward[0])
  np.testing.assert_allclose(output.per_agent[0, 1], whole.per_agent[0, 1])
  np.testing.assert_allclose(output.reward[1:], whole.reward[1:])
  assert np.all(whole.reward[1:] > 0.1)


def test_nobody_having_acted_is_read_as_an_action():
  # Before the first step actions are -1: neither 0 ("move left") nor, as
  # indices go, the last one. Nor is a number that is too large.
  conditional, policy, actions, others_actions = _random_arguments()
  for absent in (-1, K):
    actions[1] = absent
    output = _influence(conditional, policy, actions)
    np.testing.assert_array_equal(np.isnan(output.reward), [0, 1, 0])
  actions[1] = 0
  others_actions[2, 0] = -1
  for mask, expected in ((None, [0, 0, 1]), (others_actions >= 0, [0, 0, 0])):
    output = _influence(
      conditional,
      policy,
      actions,
      measure='pmi',
      others_actions=others_actions,
      mask=mask,
    )
    np.testing.assert_array_equal(np.isnan(output.reward), expected)


def test_off_by_one_alignment_of_moa_loss():
  # The model knows: whoever did a, does a + 1 next. Every row has another
  # action, so that any other pairing of rows is wrong throughout.
  actions = np.arange(6)[:, None] % A
  logits = np.log(1e-3 + np.eye(A)[(actions + 1) % A])
  right = _moa_loss(logits, actions)
  assert right.accuracy == 1
  assert right.loss < 0.01
  too_early = _moa_loss(logits[1:], actions[:-1])
  same_row = _moa_loss(logits[:-1], actions[1:])
  assert too_early.accuracy == same_row.accuracy == 0


def test_wrong_step_visibility_of_moa_loss():
  # Seen at t: the prediction made at t counts. With the rows of the mask one
  # off, one of the wrong predictions would count instead.
  actions = np.zeros((4, 1), int)
  logits = np.full((4, 1, A), -50.0)
  logits[..., 1] = 50
  logits[1] = -logits[1]
  logits[1, 0] = [50, 0, 0, 0, 0]
  visible = np.array([[0], [1], [0], [0]], bool)
  output = _moa_loss(logits, actions, mask=visible)
  np.testing.assert_array_equal(output.weight, [[0], [1], [0]])
  np.testing.assert_allclose(output.loss, 0, atol=1e-6)
  assert output.accuracy == 1


def test_unmasked_averaging_of_moa_loss():
  # One of 12 predictions counts. It is uniform, log A; the average must be
  # over what counts (not log A / 12), without the others' large losses.
  logits = np.zeros((4, 4, A))
  logits[..., 1] = 100
  logits[2, 3] = 0
  actions = np.zeros((4, 4), int)
  mask = np.zeros((4, 4), bool)
  mask[2, 3] = True
  output = _moa_loss(logits, actions, mask=mask)
  np.testing.assert_allclose(output.loss, np.log(A), rtol=1e-6)


def test_inequity_averse_agents_are_paid_for_being_ahead():
  # The bug: sum min(w^j - w^i, 0), which is negative, and subtract beta times
  # it. It also compares rewards of this step alone: an agent that has got much
  # until now counts as no better off than the others.
  weights = {'alpha': 5.0, 'beta': 0.5, 'gamma': 1.0, 'lam': 1.0}
  rewards = np.array([2.0, 0.0, 0.0])
  shaped, smoothed = ops.inequity_averse_reward(rewards, np.zeros(3), **weights)
  # Ahead of two by 2 each: 2 - 0.5 * (2 + 2) / 2 = 1, where the bug pays 3.
  np.testing.assert_allclose(shaped, [1, -5, -5])
  later, _ = ops.inequity_averse_reward(np.zeros(3), smoothed, **weights)
  np.testing.assert_allclose(later, [-1, -5, -5])
