"""Influencers act first: who sees what, and what it is worth."""

import dataclasses

import acme
import harness
import jax
import numpy as np
import pytest
from oracles import basic_oracle

from influence_acme import environments, wrappers
from influence_acme.agents import influence
from influence_acme.system import basic, heads, policy
from influence_acme.system import sequences as sequences_lib
from influence_acme.system import types as system_types

N, A, U, B = 4, 3, 5, 6
WORLD = environments.functional('coordination').observation_shape


@pytest.fixture(
  scope='module',
  params=[
    harness.OPTIONS['basic_influence'],
    {'influence_measure': 'pmi', 'num_influencers': 1},
  ],
  ids=lambda options: options['influence_measure'],
)
def run(request):
  return harness.recorded(variant='basic_influence', **request.param)


def test_every_row_equals_the_oracle(run):
  data, config = run.data, run.config
  checked = last_steps = 0
  batch, length = data.start_of_episode.shape
  for b in range(batch):
    for t in range(length - 2):
      row = jax.tree_util.tree_map(lambda x, b=b, t=t: x[b, t], data)
      if data.start_of_episode[b, t + 1]:
        assert not row.extras['influence'].any()
        continue
      expected = basic_oracle.recompute(
        run.params,
        row,
        num_influencers=config.num_influencers,
        measure=config.influence_measure,
        influencee_reward=config.influencee_reward,
      )
      np.testing.assert_allclose(
        row.extras['logits'], expected.logits, atol=1e-5
      )
      np.testing.assert_allclose(
        row.extras['influence'], expected.influence, atol=1e-5
      )
      np.testing.assert_allclose(
        row.reward, row.extras['extrinsic'] + 2 * expected.influence, atol=1e-5
      )
      assert np.abs(row.extras['influence']).max() > 1e-4
      last_steps += data.start_of_episode[b, t + 2]
      checked += 1
  assert checked > batch * length / 2 and last_steps


def test_the_learner_unrolls_what_the_actor_did(run):
  states = jax.tree_util.tree_map(
    lambda x: x[:, 0], run.data.extras['core_state']
  )
  sequences = sequences_lib.to_sequences(
    run.data._replace(extras=dict(run.data.extras, core_state=states))
  )
  num = run.config.num_influencers

  def unroll(params, own_index, sequences):
    seen = basic.influencers_observed(
      own_index, sequences.actions, num, sequences_lib.is_padding(sequences)
    )
    return run.networks.agent.unroll(
      params,
      dict(sequences.observation, influencers=seen),
      sequences.actions,
      sequences.start_of_episode,
      sequences.core_state,
    ).logits

  logits = jax.vmap(unroll)(run.params, np.arange(3), sequences)
  is_step = ~np.swapaxes(run.data.start_of_episode[:, 1:], 0, 1)
  np.testing.assert_allclose(
    jax.nn.log_softmax(logits)[:, :-1][:, is_step],
    jax.nn.log_softmax(sequences.behaviour_logits)[:, :-1][:, is_step],
    atol=1e-5,
  )


def _networks(config):
  environment = wrappers.OthersActionsWrapper(
    environments.make('coordination', num_agents=N, num_actions=A)
  )
  return influence.make_networks(
    acme.make_environment_spec(environment), config
  )


def _copiers(networks, num_influencers, of):
  """Parameters of influencees that surely copy one influencer.

  Cells of the first A units become the one-hot of what it does: inputs are let
  in, the candidate is tanh(50) = 1 where there is a one, and what was is
  forgotten. Influencers, which see nothing, are left with zero logits but for
  a bias that prefers lower actions.
  """
  params = jax.tree_util.tree_map(
    lambda x: np.zeros(x.shape, x.dtype),
    jax.eval_shape(networks.init, jax.random.PRNGKey(0)),
  )
  weights = params['policy_core']['w']
  slot = weights.shape[1] - U - num_influencers * A + of * A
  for action in range(A):
    weights[:, slot + action, U + action] = 50
  biases = params['policy_core']['b']
  biases[:, :U] = biases[:, 3 * U :] = 50
  biases[:, 2 * U : 3 * U] = -50
  head = params['policy_value_head/policy']
  head['w'][num_influencers:, :A] = 1000 * np.eye(A)
  head['b'][:num_influencers] = [1.0, 0.0, -1.0]
  return params


@pytest.mark.parametrize('measure', ['kl', 'pmi', 'jsd'])
@pytest.mark.parametrize('num_influencers, of', [(1, 0), (2, 1), (3, 0)])
@pytest.mark.parametrize('influencee_reward', [False, True])
def test_who_is_copied_is_paid_what_its_action_tells(
  measure, num_influencers, of, influencee_reward
):
  # A sure copier tells which action was taken: influence is -log p of it, and
  # for JSD (log(2 / (1 + p)) + p log(2 p / (1 + p)) + (1 - p) log 2) / 2.
  config = influence.InfluenceConfig(
    variant='basic_influence',
    hidden_size=U,
    influence_measure=measure,
    num_influencers=num_influencers,
    influencee_reward=influencee_reward,
  )
  networks = _networks(config)
  joint = policy.make_joint_policy(networks, config)
  assert joint.delay == 0
  params = _copiers(networks, num_influencers, of)
  observation = {
    'world': np.zeros((N, B, *WORLD), np.uint8),
    'actions': np.full((N, B, N), -1, np.int32),
    'visible': np.zeros((N, B, N), bool),  # Out of view, it counts as well.
  }
  keys = system_types.agent_keys(jax.random.split(jax.random.PRNGKey(3), B), N)
  state = joint.initial_state(B)
  decision = joint.act(params, observation, state, keys)
  actions = np.asarray(decision.actions)
  np.testing.assert_array_equal(
    actions[num_influencers:], actions[of][None].repeat(N - num_influencers, 0)
  )
  assert len(set(actions[of])) > 1
  _, inputs = joint.observe(
    params, observation, state, decision, observation, np.ones(B, bool)
  )
  actual = joint.influence(system_types.InfluenceStep(actions, inputs), None)

  p = np.exp([1.0, 0.0, -1.0])
  p = (p / p.sum())[actions[of]]
  told = -np.log(p)
  if measure == 'jsd':
    told = np.log(2 / (1 + p)) + p * np.log(2 * p / (1 + p))
    told = (told + (1 - p) * np.log(2)) / 2
  expected = np.zeros((N, B))
  expected[of] = (N - num_influencers) * told
  if influencee_reward:
    expected[num_influencers:] = told
  np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_the_influencers_policies_do_not_depend_on_each_other(run):
  """Nor on those after them: they act first, all at once."""
  data, num = run.data, run.config.num_influencers
  nowhere = np.zeros(data.action.shape[:-1], bool)
  seen = basic.influencers_observed(0, data.action, num, nowhere)
  np.testing.assert_array_equal(seen, np.full_like(seen, -1))
  np.testing.assert_array_equal(
    basic.influencers_observed(num, data.action, num, nowhere),
    data.action[..., :num],
  )


def test_nobody_is_observed_to_act_in_padding(run):
  """An influencee's value of an episode's last observation is of -1."""
  sequences = jax.tree_util.tree_map(
    lambda x: x[-1],  # The last agent is an influencee.
    sequences_lib.to_sequences(
      run.data._replace(
        extras={
          **run.data.extras,
          'core_state': jax.tree_util.tree_map(
            lambda x: x[:, 0], run.data.extras['core_state']
          ),
        }
      )
    ),
  )
  is_padding = np.asarray(sequences_lib.is_padding(sequences))
  start, discount = sequences.start_of_episode, sequences.discount
  np.testing.assert_array_equal(is_padding[:-1], start[1:])
  # Episodes end by time limits: no step has discount 0.
  np.testing.assert_array_equal(is_padding, np.asarray(discount) == 0)
  assert is_padding.any()
  num = run.config.num_influencers
  observation = heads._observation(2, sequences, run.config)['influencers']
  np.testing.assert_array_equal(observation[is_padding], -1)
  np.testing.assert_array_equal(
    observation[~is_padding], sequences.actions[~is_padding][..., :num]
  )


def test_as_many_influencers_as_agents_are_refused():
  config = influence.InfluenceConfig(
    variant='visible_actions', num_influencers=N
  )
  with pytest.raises(ValueError, match=r'num_influencers is 4.*0\.\.3'):
    _networks(config)


def test_visible_actions_is_paid_nothing_and_judged_the_same():
  paid = influence.InfluenceConfig(variant='basic_influence')
  unpaid = dataclasses.replace(paid, variant='visible_actions')
  builder = influence.InfluenceBuilder
  assert builder(unpaid).influence_weight(10**9) == 0.0
  assert builder(paid).influence_weight(10**9) == paid.influence_weight
