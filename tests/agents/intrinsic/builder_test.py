"""Around stock learners, on fixed streams of what their actors wrote."""

import recorded as recorded_lib
import stock_agents

# isort: split

import itertools
import pickle
import threading
from typing import Any

import jax
import numpy as np
import pytest
from acme.utils import counting, loggers

from influence_acme.agents import intrinsic
from influence_acme.agents.intrinsic import learning, training

KEY = recorded_lib.KEY


def _variables(learner):
  return jax.tree_util.tree_leaves(learner.get_variables(['']))


def _equal(one, other):
  pairs = zip(_variables(one), _variables(other), strict=True)
  return all(np.array_equal(a, b) for a, b in pairs)


def test_weight_0_changes_no_bit_and_what_is_saved_is_restored(recorded):
  stock = recorded.learner(recorded.agent.builder, 6)
  free = recorded.learner(recorded.wrapped(influence_weight=0.0), 6)
  assert _equal(stock, free)

  other = recorded.learner(recorded.wrapped(), 0)
  assert not _equal(stock, other)
  saved = pickle.loads(pickle.dumps(free.save()))
  layout = jax.tree_util.tree_structure(other.save())
  assert jax.tree_util.tree_structure(saved) == layout
  other.restore(saved)
  assert _equal(stock, other)
  jax.tree_util.tree_map(
    np.testing.assert_array_equal, other.save()['learner'], saved['learner']
  )


def test_the_inner_learner_is_paid_what_the_model_says(recorded):
  """And the sample is otherwise as it was."""
  seen: list[Any] = []

  class Builder:
    def make_learner(self, key, networks, dataset, replay_client, counter):
      np.testing.assert_array_equal(key, KEY)
      seen.extend(next(dataset) for _ in range(3))
      return dataset

  builder = recorded.wrapped(builder=Builder(), influence_weight=2.0)
  builder.make_learner(KEY, None, iter(recorded.samples))
  total = 0.0
  for before, after in zip(recorded.samples, seen, strict=False):
    influence = after.data.reward - before.data.reward
    assert after.data.reward.dtype == before.data.reward.dtype
    assert np.all(influence >= 0)
    total += influence.sum()
    same = after._replace(data=after.data._replace(reward=before.data.reward))
    jax.tree_util.tree_map(np.testing.assert_array_equal, same, before)
  assert total > 0


def test_the_model_is_saved_and_restored(dqn):
  samples = learning.InfluencedSamples(
    iter(dqn.samples),
    training.compile_moa(
      stock_agents.moa_config(dqn.environment), 'actions', 'visible'
    ),
    KEY,
    lambda: 1.0,
    None,
  )
  next(samples)
  learner = learning.InfluenceLearner(
    counting.Counter(), samples, counting.Counter(), loggers.NoOpLogger()
  )
  saved = learner.save()
  expected = next(samples).data.reward
  samples._samples = iter(dqn.samples[1:])
  learner.restore(saved)
  np.testing.assert_array_equal(next(samples).data.reward, expected)


@pytest.mark.timeout(120)
def test_a_signal_may_save_in_the_middle_of_a_step(dqn):
  """As Acme's saver does in the thread that learns, at SIGTERM."""
  learner = dqn.learner(dqn.wrapped(), 0)
  samples, saved = learner._samples, []
  update, before = samples._update, jax.device_get(samples.state)

  def interrupted(*args):
    saved.append(learner.save()['moa'])
    return update(*args)

  samples._update = interrupted
  learner.step()
  jax.tree_util.tree_map(np.testing.assert_array_equal, saved[0], before)


def test_any_number_of_threads_may_take_samples(dqn):
  """Each sample is taken once, and the model learns from each."""

  def generate():  # Unlike an iterator of NumPy's, no two threads may enter.
    yield from itertools.islice(itertools.cycle(dqn.samples), 40)

  taken = []
  builder = dqn.wrapped(
    builder=type('', (), {'make_learner': lambda self, k, n, data, *_: data})()
  )
  learner = builder.make_learner(KEY, None, generate())
  samples = learner._learner
  threads = [
    threading.Thread(target=lambda: taken.extend(samples)) for _ in range(4)
  ]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert len(taken) == 40
  count = samples.state.opt_state[1][0].count
  assert int(count) == 40


def test_priorities_are_those_of_the_changed_reward(dqn):
  class Client:
    def __init__(self):
      self.updates, self.is_done = {}, threading.Event()

    def mutate_priorities(self, table, updates):
      self.updates = updates
      self.is_done.set()

  found = []
  for weight in (0.0, 5.0):
    client = Client()
    builder = dqn.wrapped(influence_weight=weight)
    learner = builder.make_learner(
      KEY, dqn.agent.networks, itertools.cycle(dqn.samples), client
    )
    learner.step()
    assert client.is_done.wait(60)
    found.append(client.updates)
  assert found[0].keys() == found[1].keys()
  assert found[0] != found[1]


def test_extrinsic_and_influence_are_logged_apart(dqn):
  own, inner = loggers.InMemoryLogger(), loggers.InMemoryLogger()
  agent = stock_agents.make('dqn', dqn.environment, lambda: inner)
  wrapped = dqn.wrapped(own, agent.builder, influence_weight=2.0)
  counter = counting.Counter()
  counter.increment(actor_steps=7)
  dqn.learner(wrapped, 3, counting.Counter(counter, 'learner'))
  assert len(own.data) == len(inner.data) == 3
  for row in own.data:
    assert row['influence'] > 0 and row['influence_weight'] == 2
    assert row['extrinsic'] == 0  # The game pays nothing.
    assert {'moa_loss', 'moa_accuracy', 'present_loss'} < row.keys()
    assert row['actor_steps'] == 7
  assert own.data[-1]['learner_steps'] == 3
  for row in inner.data:
    assert 'total_loss' in row and 'influence' not in row


def test_the_weight_rises_with_the_steps_of_all_actors(dqn):
  log = loggers.InMemoryLogger()
  counter = counting.Counter()
  wrapped = dqn.wrapped(
    log, influence_weight=0.5, influence_curriculum_steps=100
  )
  learner = dqn.learner(wrapped, 1, counter)
  assert log.data[-1]['influence_weight'] == 0
  counter.increment(actor_steps=40)
  for _ in range(10):  # What was taken ahead of time has the old weight.
    learner.step()
  assert log.data[-1]['influence_weight'] == pytest.approx(0.2)


def test_another_n_step_is_refused(dqn):
  agent = stock_agents.make('dqn', dqn.environment, n_step=5)
  with pytest.raises(ValueError, match='n_step is 5'):
    dqn.wrapped(builder=agent.builder)


def test_a_wrong_own_index_is_noticed(dqn):
  with pytest.raises(ValueError, match='own_index or n_step is wrong'):
    dqn.learner(dqn.wrapped(own_index=2), 1)


def test_what_is_not_finite_is_noticed_and_not_learned(dqn):
  def policy_logits(sample):
    return np.full(
      (*sample.data.action.shape, stock_agents.NUM_ACTIONS), np.nan
    )

  builder = intrinsic.InfluenceLearnerBuilder(
    dqn.agent.builder,
    moa_config=stock_agents.moa_config(dqn.environment),
    policy_logits_fn=policy_logits,
    logger_fn=loggers.NoOpLogger,
  )
  learner = dqn.learner(builder, 0)
  before = learner.save()['moa']
  with pytest.raises(FloatingPointError, match='is not finite'):
    learner.step()
  jax.tree_util.tree_map(
    np.testing.assert_array_equal, learner.save()['moa'], before
  )
