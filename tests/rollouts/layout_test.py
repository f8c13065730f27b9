"""Rows arranged for the learner at once are those that go through a replay."""

import jax
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.rollouts import (
  layout,
  records,
  unroll,
  vector_environment,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks, policy, sequences, specs, wrap

T, B = 7, 4


def _second_batch(config, arrange):
  """Unrolls twice, over the ends of episodes of 5 steps."""
  game = environments.functional('coordination', num_agents=3, episode_length=5)
  environment = wrap.wrap_environment(
    environments.MultiAgentEnvironment(game), config
  )
  spec = specs.make_environment_spec(environment)
  population = networks.from_spec(spec, config)
  rollout = unroll.make_rollout(
    vector_environment.VectorEnvironment(game, config.has_messages),
    policy.make_joint_policy(population, config),
    T,
    arrange,
  )
  keys = np.stack([jax.random.PRNGKey(i) for i in range(B)])
  params = records.ActorParams(
    population.init(jax.random.PRNGKey(0)),
    np.full(3, 2.0, np.float32),
    np.int32(0),
  )
  state, _, _ = rollout.start(params, keys, keys)
  state, *_ = rollout.unroll(params, state)
  return rollout.unroll(params, state)[-1]


@pytest.mark.parametrize(
  'variant', ['moa', 'communication', 'inequity_aversion']
)
def test_both_layouts_give_the_learner_the_same_batch(variant):
  config = config_lib.InfluenceConfig(
    variant=variant, hidden_size=8, unroll_length=T
  )
  replayed = sequences.to_sequences(_second_batch(config, layout.to_replay))
  at_once = _second_batch(config, layout.to_learner)
  jax.tree_util.tree_map(np.testing.assert_array_equal, at_once, replayed)
