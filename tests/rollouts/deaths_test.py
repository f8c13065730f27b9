"""Influence of agents and on agents that die before their episode ends."""

from typing import Any

import jax
import numpy as np
import pytest

from influence_acme.rollouts import host_environments, layout, records
from influence_acme.system import config as config_lib
from influence_acme.system import deaths, specs, wrap
from influence_acme.system import networks as networks_lib
from influence_acme.system import policy as policy_lib
from influence_acme.testing import fakes

N, T, LENGTH = 3, 6, 5


class Mortals(fakes.FakeMultiAgentEnvironment):
  """Agent 2 dies in step 1, agent 1 in step 2; agent 0 lives for five steps."""

  def __init__(self):
    super().__init__(num_agents=N, episode_length=LENGTH)

  def alive(self):
    time = LENGTH if self._time is None else self._time
    return np.array([True, time <= 2, time <= 1])


# Influence by row, of the agents 0, 1 and 2: of choices until their own death,
# the step of it included, on those that are alive when they reply. Influencees
# reply in the same step; all others one step later, and not after the last one.
_LATER = [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]
CASES: dict[str, tuple[dict[str, Any], list[list[int]]]] = {
  'moa': ({}, _LATER),
  'moa by pmi': ({'influence_measure': 'pmi'}, _LATER),
  'communication': ({'variant': 'communication', 'num_symbols': 3}, _LATER),
  'basic': (
    {'variant': 'basic_influence', 'num_influencers': 2},
    [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]],
  ),
}


def _roll_out(options):
  """Returns the first sequence of all agents, [N, T + 1, 1, ...]."""
  config = config_lib.InfluenceConfig(hidden_size=8, **options)
  environment = wrap.wrap_environment(Mortals(), config)
  spec = specs.make_environment_spec(environment)
  networks = networks_lib.from_spec(spec, config)
  policy = policy_lib.make_joint_policy(networks, config)
  rng = np.random.default_rng(0)
  params = jax.tree_util.tree_map(
    lambda x: rng.normal(0, 0.3, x.shape).astype(x.dtype),
    jax.eval_shape(networks.init, jax.random.PRNGKey(0)),
  )
  batch = host_environments.HostEnvironments([environment], policy.agent_ids)
  rollout = host_environments.make_rollout(batch, policy, T, layout.to_learner)
  actor_params = records.ActorParams(
    params, np.ones(N, np.float32), np.int32(0)
  )
  keys = np.zeros((1, 2), np.uint32)
  state, _, _ = rollout.start(actor_params, keys, keys)
  _, _, sequences = rollout.unroll(actor_params, state)
  batch.close()
  return jax.tree_util.tree_map(np.asarray, sequences)


@pytest.mark.parametrize('case', CASES)
def test_only_the_living_influence_and_are_influenced(case):
  options, expected = CASES[case]
  sequences = _roll_out(options)
  influence = sequences.influence[:, :LENGTH, 0]
  np.testing.assert_array_equal(influence != 0, np.array(expected, bool))
  alive = sequences.observation['alive'][0, : LENGTH + 1, 0]
  np.testing.assert_array_equal(alive[:, 0], [True] * 6)
  np.testing.assert_array_equal(alive[:, 1], [True] * 3 + [False] * 3)
  np.testing.assert_array_equal(alive[:, 2], [True] * 2 + [False] * 4)


def test_models_learn_from_the_actions_that_they_acted_on():
  sequences = _roll_out({})
  first = jax.tree_util.tree_map(lambda x: x[0], sequences)
  masked = np.asarray(deaths.mask_actions(first))[:LENGTH, 0]
  observed = first.observation['actions'][1 : LENGTH + 1, 0]
  np.testing.assert_array_equal(masked, observed)
  assert (masked[3:, 1:] == -1).all() and (masked[0] >= 0).all()
