"""The variants: what they are made of, what they earn, and that they learn."""

import dataclasses
import itertools

import harness
import jax
import numpy as np
import pytest

from influence_acme.agents import influence

# By default the paper's three experiments: each takes long to compile.
_FAST = ('basic_influence', 'communication', 'moa')


@pytest.fixture(
  scope='module',
  params=[
    pytest.param(name, marks=[] if name in _FAST else [pytest.mark.slow])
    for name in influence.VARIANTS
  ],
)
def played(request):
  """Rows of each variant, of the real actor and table."""
  options = harness.OPTIONS.get(request.param, {})
  return harness.recorded(variant=request.param, **options)


PAID = ('basic_influence', 'communication', 'moa')
# By how much, tests of reward shaping say.
SHAPED = ('prosocial', 'inequity_aversion', 'svo')


def test_what_is_added_to_the_extrinsic_reward(played):
  config, extras = played.config, played.data.extras
  added = played.data.reward - extras['extrinsic']
  if config.variant in SHAPED:
    assert np.abs(added).max() > 0.1
  else:
    expected = (config.variant in PAID) * 2.0 * extras['influence']
    np.testing.assert_allclose(added, expected, atol=1e-6)
  is_judged = config.variant not in ('baseline', *SHAPED)
  assert extras['influence'].any() == is_judged


def test_who_has_a_model_and_what_the_policy_sees(played):
  config = played.config
  params = played.networks.init(jax.random.PRNGKey(0))
  has_moa = any(name.startswith('moa_core') for name in params)
  assert has_moa == config.has_moa
  # 32 features, 8 hidden units, and of all 3 agents the last one of 4 actions
  # or of the symbols; and the current actions of the influencers.
  sees_actions = config.has_moa or config.has_influencers
  inputs = 32 + 8 + 12 * sees_actions
  inputs += 3 * config.num_symbols * config.has_messages
  inputs += 4 * config.num_influencers * config.has_influencers
  assert params['policy_core']['w'].shape == (3, inputs, 4 * 8)
  assert bool(played.data.extras['core_state'][1]) == has_moa


def test_every_variant_learns(played):
  learner = played.builder.make_learner(
    jax.random.PRNGKey(0), played.networks, itertools.repeat(played.sample)
  )
  (before,) = learner.get_variables(['params'])
  learner.step()
  (after,) = learner.get_variables(['params'])
  jax.tree_util.tree_map(
    lambda x, y: None if x.size < 10 else np.testing.assert_(np.any(x != y)),
    before,
    after,
  )


def test_an_unknown_variant_is_refused():
  with pytest.raises(ValueError, match="variant is 'a3c'.*baseline, visible_"):
    dataclasses.replace(influence.InfluenceConfig(), variant='a3c')
