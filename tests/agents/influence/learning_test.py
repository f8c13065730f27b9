"""The learner: its variables, its checkpoint, and what it refuses."""

import copy
import dataclasses
import itertools

import chex
import jax
import numpy as np
import pytest
from acme.utils import counting, loggers

from influence_acme.agents.influence import learning
from influence_acme.system import losses, update


class _LastRow(loggers.base.Logger):
  """Keeps what was logged last."""

  def write(self, data):
    self.row = data

  def close(self):
    pass


def _learner(run, data=None, logger=None):
  class Sample:
    def __init__(self, data):
      self.data = data

  samples = itertools.repeat(Sample(run.data if data is None else data))
  counter = counting.Counter()
  counter.increment(environment_steps=10_000_000)
  return learning.InfluenceLearner(
    run.networks,
    run.config,
    samples,
    jax.random.PRNGKey(3),
    counter,
    logger or loggers.NoOpLogger(),
  )


def _assert_equal(left, right):
  jax.tree_util.tree_map(np.testing.assert_array_equal, left, right)


def test_unknown_variables_are_refused(run):
  with pytest.raises(ValueError, match="'parameters'.*counts.*params"):
    _learner(run).get_variables(['parameters'])


def test_all_agents_learn_and_the_counts_say_how_far(run):
  learner = _learner(run)
  before, counts = learner.get_variables(['params', 'counts'])
  assert counts['learner_steps'] == 0
  learner.step()
  learner.step()
  after, counts = learner.get_variables(['params', 'counts'])
  assert counts['learner_steps'] == 2
  assert counts['environment_steps'] == 10_000_000
  changed = np.array(
    [
      [not np.array_equal(x[i], y[i]) for i in range(3)]
      for x, y in zip(
        jax.tree_util.tree_leaves(before),
        jax.tree_util.tree_leaves(after),
        strict=True,
      )
    ]
  )
  assert changed.all(axis=1).mean() > 0.9


def test_a_restored_learner_goes_on_bit_for_bit(run):
  uninterrupted = _learner(run)
  for _ in range(2):
    uninterrupted.step()
  state = uninterrupted.save()
  uninterrupted.step()
  update.make_update.cache_clear()  # It is compiled anew.
  resumed = _learner(run)
  resumed.restore(state)
  resumed.step()
  _assert_equal(uninterrupted.save(), resumed.save())


def test_what_is_no_step_is_not_counted(run):
  logger = _LastRow()
  learner = _learner(run, logger=logger)
  learner.step()
  is_step = ~run.data.start_of_episode[:, 1:]
  rewards = run.data.extras['extrinsic'][:, :-1][is_step]
  np.testing.assert_allclose(
    logger.row['extrinsic']['agent_2'], rewards[:, 2].mean()
  )
  # All rows were acted with the parameters of learner step 0.
  assert logger.row['policy_lag'] == 0.0
  learner.step()
  assert logger.row['policy_lag'] == 1.0


def test_a_loss_that_is_not_finite_is_refused_and_nothing_is_lost(run):
  reward = np.array(run.data.reward)
  reward[0, 1, 2] = np.nan
  learner = _learner(run, run.data._replace(reward=reward))
  before = learner.save()
  with pytest.raises(FloatingPointError, match='of agent_2 is not finite'):
    learner.step()
  _assert_equal(before, learner.save())


def test_schedules_follow_environment_steps(run):
  logger = _LastRow()
  config = dataclasses.replace(
    run.config,
    entropy_cost=0.01,
    entropy_cost_start=0.09,
    entropy_cost_steps=40_000_000,
  )
  learned = copy.copy(run)
  learned.config = config
  _learner(learned, logger=logger).step()
  # A quarter of the 4e7 steps over which it falls.
  np.testing.assert_allclose(logger.row['entropy_cost'], 0.07, rtol=1e-5)
  # Half of the 2e7 steps over which it falls.
  middle = (config.learning_rate + config.learning_rate_end) / 2
  np.testing.assert_allclose(logger.row['learning_rate'], middle, rtol=1e-5)
  assert logger.row['influence_weight'] == config.influence_weight


def test_each_agents_own_weight_is_logged(run):
  mixed = copy.copy(run)
  mixed.config = dataclasses.replace(
    run.config, influence_weight=(2.0, 0.0, 0.5)
  )
  logger = _LastRow()
  _learner(mixed, logger=logger).step()
  assert logger.row['influence_weight'] == {
    'agent_0': 2.0,
    'agent_1': 0.0,
    'agent_2': 0.5,
  }


def test_rewards_are_logged_unscaled_and_by_agent(run):
  logger = _LastRow()
  _learner(run, logger=logger).step()
  is_step = ~run.data.start_of_episode[:, 1:]
  expected = run.data.extras['extrinsic'][:, :-1][is_step][:, 1].mean()
  np.testing.assert_allclose(logger.row['extrinsic']['agent_1'], expected)
  assert set(logger.row['influence']) == {'agent_0', 'agent_1', 'agent_2'}


def test_a_step_is_compiled_once_for_all_agents(run, monkeypatch):
  make_loss = losses.make_loss
  update.make_update.cache_clear()
  chex.clear_trace_counter()
  monkeypatch.setattr(
    losses,
    'make_loss',
    lambda *args: chex.assert_max_traces(make_loss(*args), n=1),
  )
  try:
    learner = _learner(run)
    learner.step()
    learner.step()
  finally:
    update.make_update.cache_clear()  # No other test gets this loss.
