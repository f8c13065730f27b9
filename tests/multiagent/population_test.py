"""A builder of several: what each member's builder gets, and what is joined."""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import acme
import jax
import numpy as np
import pytest
from acme.jax import variable_utils

from influence_acme import multiagent
from influence_acme.testing import fakes


class _Logger:
  """Keeps the rows that it gets."""

  def __init__(self):
    self.rows = []

  def write(self, data):
    self.rows.append(data)

  def close(self):
    pass


class _Learner(acme.Learner):
  def __init__(self, dataset, counter, logger):
    self._dataset, self._counter, self._logger = dataset, counter, logger
    self.seen = []

  def step(self):
    self.seen.append(next(self._dataset))
    counts = self._counter.increment(steps=1)
    self._logger.write({'loss': 0.5 * self.seen[-1], **counts})

  def get_variables(self, names):
    return [np.float32(len(self.seen))]

  def save(self):
    return len(self.seen)

  def restore(self, state):
    raise NotImplementedError


class _Actor(acme.Actor):
  def __init__(self, policy, adder, client, key):
    self.policy, self.adder, self.key = policy, adder, key
    self.client = client

  def select_action(self, observation):
    return np.int32(self.policy)

  def observe_first(self, timestep):
    pass

  def observe(self, action, next_timestep):
    pass

  def update(self, wait=False):
    self.client.update(wait)


class _Builder:
  """Makes what tells whose it is."""

  def __init__(self, logger):
    self._logger = logger

  def make_replay_tables(self, spec):
    return [f'table of {spec.actions.num_values} actions']

  def make_dataset_iterator(self, client):
    return iter(range(100)) if client == 'first' else iter(range(100, 200))

  def make_adder(self, client):
    return f'adder of {client}'

  def make_learner(self, key, networks, dataset, client, counter):
    return _Learner(dataset, counter, self._logger)

  def make_actor(self, key, policy, adder, source):
    client = variable_utils.VariableClient(source, 'weights')
    return _Actor(policy, adder, client, key)


MEMBERS = {
  'agent_0': multiagent.Member(
    _Builder, lambda spec: spec.actions.num_values, ('weights',)
  ),
  'agent_1': lambda observation: np.int32(0),
  'agent_2': multiagent.Member(
    _Builder, lambda spec: 7, ('weights',), lambda networks: networks - 6
  ),
}
CLIENTS = {'agent_0': 'first', 'agent_2': 'second'}


def _spec():
  return acme.make_environment_spec(
    fakes.FakeMultiAgentEnvironment(num_agents=3)
  )


def _make_learner(builder, datasets=None):
  return builder.make_learner(
    jax.random.PRNGKey(0),
    multiagent.make_networks(MEMBERS, _spec()),
    datasets or builder.make_dataset_iterator(CLIENTS),
    CLIENTS,
    acme.utils.counting.Counter(),
  )


def test_each_learner_has_its_own_samples_and_columns():
  logger = _Logger()
  learner = _make_learner(multiagent.PopulationBuilder(MEMBERS, logger))
  learner.run(3)
  assert learner.save() == {'agent_0': 3, 'agent_2': 3}
  row = logger.rows[-1]
  assert row['loss'] == {'agent_0': 1.0, 'agent_2': 51.0}
  assert (row['agent_0_steps'], row['agent_2_steps']) == (3, 3)


def test_each_has_its_own_replay_adder_policy_and_key():
  builder = multiagent.PopulationBuilder(MEMBERS, _Logger())
  num_actions = _spec().actions['agent_0'].num_values
  assert builder.make_replay_tables(_spec()) == dict.fromkeys(
    CLIENTS, [f'table of {num_actions} actions']
  )
  adders = builder.make_adder(CLIENTS)
  assert adders == {
    'agent_0': 'adder of first',
    'agent_2': 'adder of second',
  }
  networks = multiagent.make_networks(MEMBERS, _spec())
  assert networks == {'agent_0': num_actions, 'agent_2': 7}
  actor = builder.make_actor(
    jax.random.PRNGKey(0), networks, adders, _make_learner(builder)
  )
  actor.update(wait=True)
  actions = actor.select_action(dict.fromkeys(MEMBERS, {}))
  assert actions == {'agent_0': num_actions, 'agent_1': 0, 'agent_2': 1}


class _Slow:
  """Samples that are there now and then."""

  def __init__(self, samples, pattern):
    self._samples = iter(samples)
    self._pattern = iter(pattern)

  def is_ready(self):
    return next(self._pattern)

  def __next__(self):
    return next(self._samples)


def test_a_learner_without_samples_keeps_no_other_waiting():
  datasets = {
    'agent_0': _Slow(range(9), [False, False, True, False]),
    'agent_2': _Slow(range(9), [True, False, True, True]),
  }
  learner = _make_learner(
    multiagent.PopulationBuilder(MEMBERS, _Logger()), datasets
  )
  learner.step()
  assert learner.save() == {'agent_0': 0, 'agent_2': 1}
  learner.step()  # Waits until there is something.
  assert learner.save() == {'agent_0': 1, 'agent_2': 2}
  learner.step()
  assert learner.save() == {'agent_0': 1, 'agent_2': 3}


def test_a_population_of_bots_is_none():
  with pytest.raises(ValueError, match="None of .'agent_1'. learns"):
    multiagent.PopulationBuilder({'agent_1': MEMBERS['agent_1']}, _Logger())
