"""What is learned from messages: two heads, two rewards, one ratio."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from influence_acme import networks as networks_lib
from influence_acme.system import config as config_lib
from influence_acme.system import losses, normalisation
from influence_acme.system import sequences as sequences_lib

N, A, M, T, U = 2, 4, 3, 2, 8


def _agent():
  agent = networks_lib.make_agent_networks(
    N, A, U, models_others=False, num_symbols=M, embedding_size=5
  )
  observation = {
    'world': np.zeros((1, 3, 3, 3), np.uint8),
    'messages': np.full((1, N), -1, np.int32),
  }
  params: Any = agent.init(jax.random.PRNGKey(0), observation)
  # All logits and values are 0: both policies are uniform.
  for head in ('policy_value_head', 'message_head'):
    for part in ('policy', 'value'):
      params[f'{head}/{part}'] = jax.tree_util.tree_map(
        np.zeros_like, params[f'{head}/{part}']
      )
  return agent, params


def _sequences(**changes):
  """One agent's rows of one episode; rewards with influence, and without."""
  column = (T + 1, 1)
  state = _agent()[0].initial_state(1)
  sequences = sequences_lib.Sequences(
    observation={
      'world': np.zeros((*column, 3, 3, 3), np.uint8),
      'actions': np.zeros((*column, N), np.int32),
      'visible': np.ones((*column, N), bool),
      'messages': np.zeros((*column, N), np.int32),
    },
    own_actions=np.zeros(column, np.int32),
    actions=np.zeros((*column, N), np.int32),
    reward=np.array([[3.0], [5.0], [100.0]], np.float32),
    extrinsic=np.array([[1.0], [3.0], [100.0]], np.float32),
    influence=np.full(column, 2.0, np.float32),
    discount=np.ones(column, np.float32),
    start_of_episode=np.array([[True], [False], [False]]),
    behaviour_logits=np.zeros((*column, A), np.float32),
    core_state=state,
    messages=sequences_lib.Messages(
      symbols=np.zeros(column, np.int32),
      behaviour_logits=np.zeros((*column, M), np.float32),
    ),
  )
  return sequences._replace(**changes)


def _config(**changes):
  config = config_lib.InfluenceConfig(
    variant='communication',
    num_symbols=M,
    discount=0.5,
    reward_scale=1.0,
    vtrace_lambda=1.0,
    message_entropy_cost=0.0,
  )
  return dataclasses.replace(config, **changes)


def _metrics(config, sequences, entropy_cost=0.0):
  agent, params = _agent()
  loss, (metrics, _) = losses.make_loss(agent, config)(
    params, 0, sequences, entropy_cost, normalisation.init(2)
  )
  return loss, metrics


@pytest.mark.parametrize('alpha', [0.0, 1.0, 0.5])
def test_each_head_learns_from_its_own_reward(alpha):
  # e = 1, 3 and c = 2, 2 (weighted). Values are 0 and gamma is 1/2, so that the
  # returns of the action's head are 1 + 3/2 = 2.5 and 3, and those of the
  # message's m0 + m1/2 and m1 with m = alpha * e + 2.
  _, metrics = _metrics(_config(message_extrinsic_weight=alpha), _sequences())
  np.testing.assert_allclose(
    metrics['value_loss'], (2.5**2 + 3**2) / 4, rtol=1e-5
  )
  np.testing.assert_allclose(
    metrics['policy_loss'], np.log(A) * (2.5 + 3) / 2, rtol=1e-5
  )
  second = 3 * alpha + 2
  first = alpha + 2 + second / 2
  np.testing.assert_allclose(
    metrics['message_value_loss'], (first**2 + second**2) / 4, rtol=1e-5
  )
  np.testing.assert_allclose(
    metrics['message_policy_loss'],
    np.log(M) * (first + second) / 2,
    rtol=1e-5,
  )
  np.testing.assert_allclose(metrics['message_entropy'], np.log(M), rtol=1e-5)


def test_the_loss_is_weighted_as_the_paper_weights_it():
  config = _config(
    value_cost=0.5,
    message_loss_weight=0.25,
    message_entropy_cost=0.01,
  )
  loss, metrics = _metrics(config, _sequences(), entropy_cost=0.1)
  expected = (
    metrics['policy_loss']
    + 0.5 * metrics['value_loss']
    - 0.1 * np.log(A)
    + 0.25 * metrics['message_policy_loss']
    + 0.25 * 0.5 * metrics['message_value_loss']
    - 0.01 * np.log(M)
  )
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize('what', ['action', 'message'])
def test_the_importance_ratio_is_that_of_both_choices(what):
  # The choice of row 0 was surely made then, and is 1 of A or M now: the ratio
  # is below 1 for both heads, whichever choice it was.
  sequences = _sequences()
  sure = np.where(np.arange(A if what == 'action' else M) == 0, 0, -100.0)
  sure = np.stack([sure, 0 * sure, 0 * sure])[:, None].astype(np.float32)
  if what == 'action':
    sequences = sequences._replace(behaviour_logits=sure)
  else:
    messages = sequences.messages._replace(behaviour_logits=sure)
    sequences = sequences._replace(messages=messages)
  ratio = 1 / sure.shape[-1]
  _, metrics = _metrics(_config(message_extrinsic_weight=0.0), sequences)
  # Targets: v0 = rho * (r0 + v1 / 2), v1 = r1.
  np.testing.assert_allclose(
    metrics['value_loss'], ((ratio * 2.5) ** 2 + 3**2) / 4, rtol=1e-5
  )
  np.testing.assert_allclose(
    metrics['message_value_loss'], ((ratio * 3) ** 2 + 2**2) / 4, rtol=1e-5
  )


def test_influence_moves_no_weight_of_the_actions_head():
  agent, params = _agent()
  loss_fn = losses.make_loss(agent, _config())
  sequences = _sequences()
  grads = [
    jax.grad(loss_fn, has_aux=True)(params, 0, s, 0.0, normalisation.init(2))[0]
    for s in (
      sequences,
      sequences._replace(reward=sequences.reward + 7.0),
    )
  ]
  for head, is_equal in (('policy_value_head', True), ('message_head', False)):
    for part in ('policy', 'value'):
      x, y = (g[f'{head}/{part}']['b'] for g in grads)
      assert np.array_equal(x, y) == is_equal
