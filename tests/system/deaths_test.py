"""Agents that die before their episode ends learn to their death, and no more.

Two agents; an episode of four steps, and the beginning of the next one. Agent 1
dies in step 1; agent 0 lives on:

    row        0    1    2    3    4, padding   5    6
    alive      1    1    0    0    0            1    1
"""

from typing import Any

import jax
import numpy as np
import pytest
import tabular

from influence_acme.system import config as config_lib
from influence_acme.system import (
  deaths,
  experiments,
  losses,
  normalisation,
  update,
)

STARTS = tabular.make_starts((4, 9), num_rows=7)
ALIVE = np.ones((7, 1, 2), bool)
ALIVE[2:5, 0, 1] = False
LIVING, REST = [0, 1, 5], [2, 3, 4, 6]
VALUES = np.array([[1, 2, 50, 60, 70, 1, 8]], np.float32).T
REWARDS = np.array([[1, 2, -30, -40, 7, 4, 100]], np.float32).T
# gamma = lambda = 1/2. Backwards, of the agent that dies:
#   row 5   4 + 8/2 = 8               the sequence's end bootstraps
#   row 1   2                         its death does not
#   row 0   1 + 2/2 + (2 - 2)/4 = 2
TARGETS = [2, 2, 8]


def _config(name='vtrace', **options):
  fields: dict[str, Any] = {
    'variant': 'baseline',
    'update': name,
    'discount': 0.5,
    'vtrace_lambda': 0.5,
    'reward_scale': 1.0,
    **options,
  }
  if name == 'ppo':
    fields['ppo'] = config_lib.PPOConfig(gae_lambda=0.5, num_minibatches=1)
  return config_lib.InfluenceConfig(**fields)


def _sequences(reward=REWARDS, alive=ALIVE):
  sequences = tabular.make_sequences(STARTS, reward=reward, extrinsic=reward)
  observation = {**sequences.observation, 'alive': alive}
  return sequences._replace(observation=observation)


def _params():
  params = tabular.make_params(7, 1)  # All policies are uniform: on-policy.
  return {**params, 'value': VALUES}


def _targets(sequences, own_index):
  loss_fn = losses.make_loss(tabular.AGENT, _config())
  _, (_, targets) = loss_fn(
    _params(), own_index, sequences, 0.1, normalisation.init(1)
  )
  return np.asarray(targets[0])[:, 0]


def test_a_return_ends_with_its_agent():
  np.testing.assert_allclose(_targets(_sequences(), 1)[LIVING], TARGETS)


def test_the_others_returns_go_on():
  """They are as if nobody had died."""
  without = tabular.make_sequences(STARTS, reward=REWARDS, extrinsic=REWARDS)
  expected = _targets(without, 0)
  assert abs(expected[0] - TARGETS[0]) > 1
  np.testing.assert_array_equal(_targets(_sequences(), 0), expected)


def _oracle(rewards, values, alive, gamma, lambda_):
  """Computes lambda-returns of the steps of an episode with a time limit.

  Args:
    rewards: of each step.
    values: of each observation, one more.
    alive: bool, in each observation.
    gamma: discount.
    lambda_: of the returns.
  """
  targets: dict[int, Any] = {}
  for t in reversed(range(len(rewards))):
    if not alive[t]:
      continue
    target = rewards[t]
    if alive[t + 1]:
      # The time limit's last observation has its value alone.
      following = targets.get(t + 1, values[t + 1])
      target += gamma * ((1 - lambda_) * values[t + 1] + lambda_ * following)
    targets[t] = target
  return targets


@pytest.mark.parametrize('dies_in', [0, 1, 2, 3, None])
def test_returns_are_those_of_a_slow_oracle(dies_in):
  """A death in the last step counts, though a time limit ends the episode."""
  rng = np.random.default_rng(0)
  rewards, values = rng.normal(size=(2, 7, 1)).astype(np.float32)
  alive = np.ones((7, 1, 2), bool)
  if dies_in is not None:
    alive[dies_in + 1 : 5, 0, 1] = False
  loss_fn = losses.make_loss(tabular.AGENT, _config())
  params = {**tabular.make_params(7, 1), 'value': values}
  _, (_, (targets,)) = loss_fn(
    params, 1, _sequences(rewards, alive), 0.1, normalisation.init(1)
  )
  expected = _oracle(rewards[:4, 0], values[:5, 0], alive[:5, 0, 1], 0.5, 0.5)
  for t, target in expected.items():
    np.testing.assert_allclose(targets[t, 0], target, rtol=1e-5)


@pytest.mark.parametrize('name', ['vtrace', 'ppo'])
def test_nothing_is_learned_from_the_dead(name):
  """Outputs of other rows do not move, whatever the rewards are there."""
  config = _config(name, normalise_returns=True)
  step = jax.jit(update.make_update(tabular.AGENT, config))

  def learn(reward, own_index=1):
    state = update.init(
      jax.tree_util.tree_map(lambda x: x[None], _params()), config
    )
    state = jax.tree_util.tree_map(lambda x: x[0], state)
    rates = update.Rates(0.1, 0.0)
    return step(
      state, _sequences(reward), own_index, rates, jax.random.PRNGKey(0)
    )

  rewards = REWARDS + 0.5  # No value is right.
  state, metrics = learn(rewards)
  changed = np.abs(np.asarray(state.params['value']) - VALUES)[:, 0]
  assert (changed[LIVING] > 0).all() and (changed[REST] == 0).all()
  logits = np.asarray(state.params['logits'])
  assert (logits[REST] == 0).all() and (logits[LIVING] != 0).any()
  other = rewards.copy()
  other[REST] += 1000
  again, again_metrics = learn(other)
  jax.tree_util.tree_map(
    np.testing.assert_array_equal, (state, metrics), (again, again_metrics)
  )
  survivor, _ = learn(rewards, own_index=0)
  changed = np.abs(np.asarray(survivor.params['value']) - VALUES)[:, 0]
  assert (changed[[0, 1, 2, 3, 5]] > 0).all()


def test_a_batch_of_the_dead_leaves_the_scale_of_returns():
  config = _config(normalise_returns=True)
  scale = normalisation.ReturnScale(
    np.array([3], np.float32), np.float32(2), np.float32(1), np.float32(0.5)
  )
  zeros = np.zeros((6, 1), np.float32)
  tracked = normalisation.track(
    scale, [zeros + 9], zeros + 9, zeros, zeros, zeros
  )
  np.testing.assert_allclose(
    normalisation.units(tracked, config), normalisation.units(scale, config)
  )


def test_predictions_of_the_dead_and_by_the_dead_do_not_count():
  """Agent 0 predicts agent 1's actions of the rows 1, 5 and 6."""
  counted = [deaths.predictions(_sequences(), i) for i in (0, 1)]
  np.testing.assert_array_equal(
    [np.asarray(x)[:-1, 0, 0] for x in counted],
    [[1, 0, 0, 0, 1, 1], [1, 1, 0, 0, 0, 1]],
  )
  assert deaths.predictions(tabular.make_sequences(STARTS), 0) is None


def test_the_dead_have_no_actions():
  actions = np.asarray(deaths.mask_actions(_sequences()))[:, 0]
  np.testing.assert_array_equal(actions[:, 0], [0] * 7)
  np.testing.assert_array_equal(actions[:, 1], [0, 0, -1, -1, -1, 0, 0])


@pytest.mark.parametrize(
  ('name', 'expected'),
  [
    # Who influences in step 1, if the others reply in step 1 and in step 2.
    ('basic', [[0, 0], [0, 1], [0, 1]]),
    ('moa', [[0, 0], [0, 0], [0, 1]]),
    # And in step 0, as known in step 1, where the others reply.
    ('communication', [[1, 1], [0, 1], [0, 1]]),
  ],
)
def test_pairs_are_of_the_living_and_of_those_that_can_reply(name, expected):
  """Of three agents one dies in step 0, and the last one in step 1."""
  now, then = (
    {
      'alive': np.broadcast_to(np.array(alive, bool), (3, 1, 3)),
      'actions': np.broadcast_to(np.array(actions), (3, 1, 3)),
    }
    for alive, actions in (([0, 1, 1], [2, 0, 1]), ([0, 1, 0], [-1, 0, 1]))
  )
  pairs = deaths.pairs(experiments.EXPERIMENTS[name], now, then)
  np.testing.assert_array_equal(np.asarray(pairs)[:, 0], expected)
  assert deaths.pairs(experiments.EXPERIMENTS[name], {}, {}) is True
