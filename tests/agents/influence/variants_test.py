"""The variants: what they are made of, what they earn, and that they learn."""

import dataclasses
import itertools

import acme
import jax
import numpy as np
import pytest
import reverb
from acme.utils import counting, loggers

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
  """Each variant's config, networks and rows, of the real actor and table."""
  config = influence.InfluenceConfig(
    variant=request.param,
    hidden_size=8,
    influence_weight=2.0,
    influence_curriculum_steps=1,
    unroll_length=6,
    batch_size=2,
  )
  environment = influence.make_environment(
    'matrix',
    config,
    seed=0,
    num_agents=3,
    num_actions=4,
    episode_length=7,
    payoff=[[own - other for other in range(4)] for own in range(4)],
  )
  spec = acme.make_environment_spec(environment)
  builder = influence.InfluenceBuilder(config, loggers.NoOpLogger())
  networks = influence.make_networks(spec, config)
  server = reverb.Server(builder.make_replay_tables(spec), port=None)
  client = reverb.Client(f'localhost:{server.port}')
  iterator = builder.make_dataset_iterator(client)
  counter = counting.Counter()
  counter.increment(environment_steps=10)
  learner = builder.make_learner(
    jax.random.PRNGKey(0), networks, iterator, client, counter
  )
  actor = builder.make_actor(
    jax.random.PRNGKey(1), networks, builder.make_adder(client), learner
  )
  loop = acme.EnvironmentLoop(environment, actor, logger=loggers.NoOpLogger())
  loop.run(num_steps=20)
  sample = next(iterator)
  return config, networks, sample, builder


PAID = ('basic_influence', 'communication', 'moa')
SHAPED = ('prosocial', 'inequity_aversion')  # By how much: see shaping_test.


def test_what_is_added_to_the_extrinsic_reward(played):
  config, _, sample, _ = played
  extras = sample.data.extras
  added = sample.data.reward - extras['extrinsic']
  if config.variant in SHAPED:
    assert np.abs(added).max() > 0.1
  else:
    expected = (config.variant in PAID) * 2.0 * extras['influence']
    np.testing.assert_allclose(added, expected, atol=1e-6)
  is_judged = config.variant not in ('baseline', *SHAPED)
  assert extras['influence'].any() == is_judged


def test_who_has_a_model_and_what_the_policy_sees(played):
  config, networks, sample, _ = played
  params = networks.init(jax.random.PRNGKey(0))
  has_moa = any(name.startswith('moa_core') for name in params)
  assert has_moa == config.has_moa
  # 32 features, 8 hidden units, and of all 3 agents the last one of 4 actions
  # or of 9 symbols; and the current action of the influencer if there is one.
  sees_actions = config.has_moa or config.has_influencers
  inputs = 32 + 8 + 12 * sees_actions + 27 * config.has_messages
  inputs += 4 * config.has_influencers
  assert params['policy_core']['w'].shape == (3, inputs, 4 * 8)
  assert bool(sample.data.extras['core_state'][1]) == has_moa


def test_every_variant_learns(played):
  config, networks, sample, builder = played
  learner = builder.make_learner(
    jax.random.PRNGKey(0), networks, itertools.repeat(sample)
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
