"""Properties that the influence reward has whatever the distributions."""

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import jax
import numpy as np
from oracles import influence_oracle

from influence_acme import ops

INF = np.inf
K, J, A = 4, 2, 5  # My choices, the others, their actions.

_influence = jax.jit(ops.influence_reward, static_argnames='measure')

# Some logits are -inf; adding a finite one makes every row a distribution.
_logits = st.one_of(
  st.floats(-12, 12, width=32), st.sampled_from([-INF, -80.0, 80.0])
)


def _arrays(shape):
  return hypothesis.extra.numpy.arrays(np.float32, shape, elements=_logits)


def _make_legal(logits):
  """Gives every row something possible."""
  impossible = np.all(logits == -INF, axis=-1, keepdims=True)
  return np.where(impossible, np.float32(0), logits)


_conditionals = _arrays((K, J, A)).map(_make_legal)
_policies = _arrays((K,)).map(_make_legal)
_property = hypothesis.settings(deadline=None, max_examples=60)


def _every_action(measure, conditional, policy, **options):
  """The output for each of my choices, [K, ...], and my policy [K]."""
  output = _influence(
    np.broadcast_to(conditional, (K, K, J, A)),
    np.broadcast_to(policy, (K, K)),
    np.arange(K),
    measure=measure,
    **options,
  )
  return output, influence_oracle.softmax(policy)


@_property
@hypothesis.given(_conditionals, _policies)
def test_kl_is_between_0_and_surprise_at_my_choice(conditional, policy):
  output, my_policy = _every_action('kl', conditional, policy)
  with np.errstate(divide='ignore'):
    surprise = -np.log(my_policy)[:, None]
  assert np.all(output.per_agent >= 0)
  assert np.all(output.per_agent <= surprise + 1e-5)


@_property
@hypothesis.given(_conditionals, _policies)
def test_jsd_is_between_0_and_log_2(conditional, policy):
  output, _ = _every_action('jsd', conditional, policy)
  assert np.all(output.per_agent >= 0)
  assert np.all(output.per_agent <= np.log(2) + 1e-6)


@_property
@hypothesis.given(
  _arrays((1, J, A)).map(_make_legal), _policies, st.integers(0, A - 1)
)
def test_no_influence_on_who_ignores_me(conditional, policy, others_action):
  conditional = np.broadcast_to(conditional, (K, J, A))
  for measure in ops.MEASURES:
    options = {}
    if measure == 'pmi':
      options['others_actions'] = np.full((K, J), others_action)
    output, _ = _every_action(measure, conditional, policy, **options)
    # PMI subtracts numbers of up to 160, which float32 holds to 1e-5.
    atol = 5e-5 if measure == 'pmi' else 1e-6
    np.testing.assert_allclose(output.per_agent, 0, atol=atol)


def _mutual_information(conditional, policy):
  """I(mine; other's) of each other, [J], from the joint distribution."""
  joint = np.zeros((J, K, A))
  for j, k in np.ndindex(J, K):
    mine = influence_oracle.softmax(policy)[k]
    joint[j, k] = mine * influence_oracle.softmax(conditional[k, j])
  independent = joint.sum(1, keepdims=True) * joint.sum(2, keepdims=True)
  ratio = np.divide(joint, independent, np.ones_like(joint), where=joint > 0)
  return np.sum(joint * np.log(ratio), axis=(1, 2))


@_property
@hypothesis.given(_conditionals, _policies)
def test_mean_of_kl_is_mutual_information(conditional, policy):
  output, my_policy = _every_action('kl', conditional, policy)
  # A choice that I never make may have infinite influence; it counts nothing.
  possible = my_policy > 0
  mean = my_policy[possible] @ np.asarray(output.per_agent)[possible]
  expected = _mutual_information(conditional, policy)
  np.testing.assert_allclose(mean, expected, atol=1e-5)


@_property
@hypothesis.given(_conditionals, _policies)
def test_mean_of_pmi_is_mutual_information(conditional, policy):
  mean = np.zeros(J)
  for a in range(A):
    output, my_policy = _every_action(
      'pmi', conditional, policy, others_actions=np.full((K, J), a)
    )
    for k, j in np.ndindex(K, J):
      joint = my_policy[k] * influence_oracle.softmax(conditional[k, j])[a]
      # What never happens counts nothing (it may have a PMI of -inf).
      if joint > 0:
        mean[j] += joint * output.per_agent[k, j]
  expected = _mutual_information(conditional, policy)
  np.testing.assert_allclose(mean, expected, atol=1e-5)


@_property
@hypothesis.given(_conditionals, _policies, st.permutations(range(K)))
def test_names_of_my_choices_do_not_matter(conditional, policy, order):
  order = np.array(order)
  for measure in ('kl', 'jsd'):
    output, _ = _every_action(measure, conditional, policy)
    renamed, _ = _every_action(measure, conditional[order], policy[order])
    np.testing.assert_allclose(
      renamed.per_agent, output.per_agent[order], atol=1e-5
    )
