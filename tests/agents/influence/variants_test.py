"""The variants: what they are made of, what they earn, and that they learn."""

import dataclasses
import itertools

import acme
import jax
import numpy as np
import pytest
import reverb
from acme.utils import counting, loggers

from influence_acme import environments, wrappers
from influence_acme.agents import influence


@pytest.fixture(scope='module', params=influence.VARIANTS)
def played(request):
  """Each variant's config, networks and rows, of the real actor and table."""
  environment = wrappers.OthersActionsWrapper(
    environments.make(
      'coordination', num_agents=3, num_actions=4, episode_length=7
    )
  )
  spec = acme.make_environment_spec(environment)
  config = influence.InfluenceConfig(
    variant=request.param,
    hidden_size=8,
    influence_weight=2.0,
    influence_curriculum_steps=1,
    unroll_length=6,
    batch_size=2,
  )
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


PAID = ('basic_influence', 'moa')


def test_who_is_paid_for_influence(played):
  config, _, sample, _ = played
  extras = sample.data.extras
  added = sample.data.reward - extras['extrinsic']
  np.testing.assert_allclose(
    added, (config.variant in PAID) * 2.0 * extras['influence'], atol=1e-6
  )
  assert extras['influence'].any() == (config.variant != 'baseline')


def test_who_has_a_model_and_what_the_policy_sees(played):
  config, networks, sample, _ = played
  params = networks.init(jax.random.PRNGKey(0))
  has_moa = any(name.startswith('moa_core') for name in params)
  assert has_moa == config.models_others
  # 32 features, 8 hidden units, the last of 4 actions of all 3 agents if they
  # are seen, and the current one of the influencer if there is one.
  inputs = 32 + 8 + 12 * (config.variant != 'baseline') + 4 * config.takes_turns
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
