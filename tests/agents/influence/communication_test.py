"""Agents that speak: who hears what, what it is worth, and what is learned."""

from typing import Any

import acme
import harness
import jax
import numpy as np
import pytest
from oracles import communication_oracle

from influence_acme import environments, wrappers
from influence_acme.agents import influence
from influence_acme.system import policy
from influence_acme.system import types as system_types

N, A, U, B = 3, 4, 6, 6
M = A  # Symbols, which a copier takes for actions.
WORLD = environments.functional('coordination').observation_shape


@pytest.fixture(scope='module', params=['kl', 'pmi'])
def run(request):
  options = dict(
    harness.OPTIONS['communication'], influence_measure=request.param
  )
  return harness.recorded(variant='communication', **options)


def test_every_row_equals_the_oracle(run):
  data = run.data
  checked = last_steps = 0
  batch, length = data.start_of_episode.shape
  for b in range(batch):
    for t in range(length - 2):
      row, following = (
        jax.tree_util.tree_map(lambda x, b=b, i=i: x[b, i], data)
        for i in (t, t + 1)
      )
      if data.start_of_episode[b, t + 1]:
        assert not row.extras['influence'].any()
        continue
      is_last_step = data.start_of_episode[b, t + 2]
      expected = communication_oracle.recompute(
        run.params,
        row,
        None if is_last_step else following,
        measure=run.config.influence_measure,
      )
      for name in ('logits', 'message_logits', 'influence'):
        np.testing.assert_allclose(
          row.extras[name], getattr(expected, name), atol=1e-5
        )
      np.testing.assert_allclose(
        row.reward, row.extras['extrinsic'] + 2 * expected.influence, atol=1e-5
      )
      if is_last_step:
        assert not row.extras['influence'].any()
      else:
        assert np.abs(row.extras['influence']).max() > 1e-5
      last_steps += is_last_step
      checked += 1
  assert checked > batch * length / 2 and last_steps


def test_everyone_hears_what_everyone_said_in_the_step_before(run):
  data = run.data
  messages = data.observation['messages']
  starts = data.start_of_episode
  assert (messages[starts] == -1).all()
  after = ~starts[:, 1:]
  said = np.broadcast_to(
    data.action['message'][:, :-1, None], messages[:, 1:].shape
  )
  np.testing.assert_array_equal(messages[:, 1:][after], said[after])


def _environment(num_symbols=M):
  game = environments.make('coordination', num_agents=N, num_actions=A)
  environment = wrappers.OthersActionsWrapper(game)
  if not num_symbols:
    return environment
  return wrappers.MessageChannelWrapper(environment, num_symbols)


def _copiers(networks, of):
  """Parameters of agents that do what one of them said last.

  As those in the tests of turns; what they say is ruled by a bias.
  """
  params = jax.tree_util.tree_map(
    lambda x: np.zeros(x.shape, x.dtype),
    jax.eval_shape(networks.init, jax.random.PRNGKey(0)),
  )
  weights = params['policy_core']['w']
  slot = weights.shape[1] - U - N * M + of * M
  for symbol in range(M):
    weights[:, slot + symbol, U + symbol] = 50
  biases = params['policy_core']['b']
  biases[:, :U] = biases[:, 3 * U :] = 50
  biases[:, 2 * U : 3 * U] = -50
  params['policy_value_head/policy']['w'][:, :A] = 1000 * np.eye(A)
  params['message_head/policy']['b'][:] = [1.0, 0.0, -1.0, -2.0]
  return params


@pytest.mark.parametrize('measure', ['kl', 'pmi'])
@pytest.mark.parametrize('of', [0, 2])
def test_who_is_obeyed_is_paid_what_its_symbol_tells(measure, of):
  # Two others do surely what was said: -log p of the symbol for each.
  config = influence.InfluenceConfig(
    variant='communication',
    hidden_size=U,
    influence_measure=measure,
    num_symbols=M,
  )
  networks = influence.make_networks(
    acme.make_environment_spec(_environment()), config
  )
  joint = policy.make_joint_policy(networks, config)
  assert joint.delay == 1
  params = _copiers(networks, of)
  state = joint.initial_state(B)
  observation = {
    'world': np.zeros((N, B, *WORLD), np.uint8),
    'actions': np.full((N, B, N), -1, np.int32),
    'visible': np.zeros((N, B, N), bool),  # Out of view, it counts as well.
    'messages': np.full((N, B, N), -1, np.int32),
  }
  judged = []
  for t in range(2):
    keys = system_types.agent_keys(
      jax.random.split(jax.random.PRNGKey(t), B), N
    )
    decision = joint.act(params, observation, state, keys)
    state, inputs = joint.observe(
      params, observation, state, decision, observation, np.zeros(B, bool)
    )
    judged.append(system_types.InfluenceStep(decision.actions, inputs))
    messages = np.asarray(decision.actions['message']).T
    observation['messages'] = np.broadcast_to(messages, (N, B, N))

  said = np.asarray(judged[0].actions['message'][of])
  assert len(set(said)) > 1
  np.testing.assert_array_equal(
    judged[1].actions['action'], said[None].repeat(N, 0)
  )
  p = np.exp([1.0, 0.0, -1.0, -2.0])
  expected = np.zeros((N, B))
  expected[of] = (N - 1) * -np.log(p / p.sum())[said]
  np.testing.assert_allclose(joint.influence(*judged), expected, atol=1e-5)


def test_weights_of_other_agents_are_refused():
  config = influence.InfluenceConfig(influence_weight=(1.0, 0.0))
  spec = acme.make_environment_spec(_environment(0))
  with pytest.raises(ValueError, match=r'\(1.0, 0.0\).*of the 3 agents'):
    influence.make_networks(spec, config)


@pytest.mark.parametrize(
  'variant, num_symbols, message',
  [
    ('communication', 0, 'has no messages.*num_symbols 4: wrap it'),
    ('communication', 7, 'has 7 symbols.*num_symbols 4: wrap it'),
    ('moa', 4, "has 4 symbols.*'moa' with num_symbols 0: leave"),
  ],
)
def test_messages_that_do_not_fit_are_refused(variant, num_symbols, message):
  options: dict[str, Any] = {}
  if variant == 'communication':
    options['num_symbols'] = 4
  config = influence.InfluenceConfig(variant=variant, **options)
  spec = acme.make_environment_spec(_environment(num_symbols))
  with pytest.raises(ValueError, match=message):
    influence.make_networks(spec, config)
