"""Populations of several variants: who sees, says and learns what.

What they are paid, row by row, tests of rollouts compare with the oracle.
"""

import functools
import itertools
from typing import Any

import acme
import jax
import numpy as np
import pytest
from acme import adders
from acme.adders.reverb import base as reverb_base
from acme.utils import loggers

from influence_acme import environments
from influence_acme.agents import influence
from influence_acme.agents.influence import learning
from influence_acme.multiagent import recording
from influence_acme.system import reward_shaping
from influence_acme.system import types as system_types

N, A, B = 4, 3, 5
MIXED = {
  'moa': ('moa', 'baseline', 'moa_baseline', 'prosocial'),
  'basic': ('basic_influence', 'baseline', 'visible_actions', 'prosocial'),
  'communication': ('communication', 'baseline', 'comm_baseline', 'prosocial'),
  'several': ('moa', 'baseline', 'communication', 'visible_actions'),
  'pairs': (
    'basic_influence',
    'visible_actions',
    'communication',
    'comm_baseline',
  ),
}
APART = [1, 3]  # Who takes no part, but in 'several'.
SLOW = [pytest.mark.slow]
mixed = pytest.mark.parametrize('name', MIXED)


@functools.cache
class Mixed:
  """A population, and what it has seen."""

  def __init__(self, name):
    self.config = influence.InfluenceConfig(
      variant=MIXED[name], hidden_size=6, unroll_length=6, batch_size=2
    )
    environment = influence.make_environment(
      'coordination', self.config, 0, num_agents=N, num_actions=A
    )
    self.networks = influence.make_networks(
      acme.make_environment_spec(environment), self.config
    )
    builder = influence.InfluenceBuilder(self.config, loggers.NoOpLogger())
    self._policy = builder.make_joint_policy(self.networks)
    self._act = jax.jit(self._policy.act)
    rng = np.random.default_rng(0)
    self.params = jax.tree_util.tree_map(
      lambda x: rng.normal(0, 0.5, x.shape).astype(x.dtype),
      jax.eval_shape(self.networks.init, jax.random.PRNGKey(0)),
    )
    shape = environments.functional('coordination', num_agents=N)
    self.observation: dict[str, Any] = {
      'world': rng.integers(
        0, 255, (N, B, *shape.observation_shape), dtype=np.uint8
      ),
      'actions': rng.integers(0, A, (N, B, N), dtype=np.int32),
      'visible': np.ones((N, B, N), bool),
    }
    if self.config.has_messages:
      self.observation['messages'] = rng.integers(
        0, 9, (N, B, N), dtype=np.int32
      )

  def act(self, **changes):
    """Lets all act on what was seen, but for some changes."""
    keys = system_types.agent_keys(
      jax.random.split(jax.random.PRNGKey(3), B), N
    )
    return self._act(
      self.params,
      {**self.observation, **changes},
      self._policy.initial_state(B),
      keys,
    )


@mixed
def test_who_takes_no_part_sees_and_hears_nothing_of_the_others(name):
  population = Mixed(name)
  before = population.act()
  # The others do, and say, something else each.
  changes = {
    k: (v + 1) % A
    for k, v in population.observation.items()
    if k in ('actions', 'messages')
  }
  after = population.act(**changes)
  for agent in range(N):
    x, y = (d.extras['logits'][agent] for d in (before, after))
    is_plain = MIXED[name][agent] in ('baseline', 'prosocial')
    assert np.array_equal(x, y) == is_plain


def test_who_is_silent_is_not_heard():
  population = Mixed('communication')
  messages = population.observation['messages']
  before = population.act()
  assert not np.any(np.asarray(before.actions['message'])[APART])
  for speaker in range(N):
    changed = np.array(messages)
    changed[..., speaker] = (changed[..., speaker] + 1) % 9
    after = population.act(messages=changed)
    x, y = (d.extras['logits'] for d in (before, after))
    assert np.array_equal(x, y) == (speaker in APART)


@pytest.mark.parametrize(
  'name',
  ['moa', *(pytest.param(x, marks=SLOW) for x in ('basic', 'communication'))],
)
def test_who_takes_no_part_learns_nothing_of_the_experiment(name):
  population = Mixed(name)
  before, after, _ = _learn(name, num_steps=2)
  moved = {
    module: np.array(
      [
        any(np.any(x[i] != after[module][k][i]) for k, x in group.items())
        for i in range(N)
      ]
    )
    for module, group in before.items()
  }
  takes_part = ~np.isin(np.arange(N), APART)
  of_experiment = ('moa_core', 'message_', 'dense/stack_1')
  for module, has_moved in moved.items():
    if module.startswith(of_experiment):
      np.testing.assert_array_equal(has_moved, takes_part, err_msg=module)
    else:
      assert has_moved.all(), module
  # Nor do weights of what is not seen change: 32 features come first.
  core, learned = before['policy_core']['w'], after['policy_core']['w']
  of_others = slice(32, core.shape[1] - population.config.hidden_size)
  for agent in APART:
    np.testing.assert_array_equal(
      core[agent, of_others], learned[agent, of_others]
    )
  assert np.any(core[2, of_others] != learned[2, of_others])


class _Parts(adders.Adder):
  """Keeps the influence that rewards are made of."""

  def __init__(self):
    self.influence = []

  def add_first(self, timestep):
    pass

  def add(self, action, next_timestep, extras=()):
    self.influence.append(extras['influence'])

  def reset(self):
    pass


@pytest.mark.slow
def test_the_matrix_of_an_episode_adds_up_to_what_is_paid():
  population = Mixed('pairs')
  spec = {'num_agents': N, 'num_actions': A, 'episode_length': 6}
  builder = influence.InfluenceBuilder(population.config, loggers.NoOpLogger())
  parts, whole = _Parts(), recording.RecordingAdder()
  for make, adder in (
    (builder.make_actor, parts),
    (builder.make_evaluator, whole),
  ):
    actor = make(
      jax.random.PRNGKey(2), population.networks, adder, _Source(population)
    )
    environment = influence.make_environment(
      'coordination', population.config, 0, **spec
    )
    acme.EnvironmentLoop(
      environment, actor, logger=loggers.NoOpLogger()
    ).run_episode()
  matrix = recording.influence(whole)
  assert matrix is not None
  np.testing.assert_allclose(
    np.nansum(matrix, axis=-1), np.stack(parts.influence), atol=1e-6
  )
  # Within a step, in the last one too; of what is said, but for the end.
  expected = np.zeros((6, N, N), bool)
  expected[:, 0, 1] = expected[:-1, 2, 3] = expected[:-1, 3, 2] = True
  np.testing.assert_array_equal(matrix > 0, expected)


class _Source:
  """A variable source, of a population's weights."""

  def __init__(self, population):
    self._params = population.params

  def get_variables(self, names):
    counts = {
      'learner_steps': np.int32(0),
      'environment_steps': np.int64(0),
    }
    return [{'params': self._params, 'counts': counts}[n] for n in names]


@functools.cache
def _learn(name, num_steps):
  """Returns a population's weights before and after, and what is logged."""
  population, log = Mixed(name), _Log()
  learner = learning.InfluenceLearner(
    population.networks,
    population.config,
    itertools.repeat(_sample(population)),
    jax.random.PRNGKey(0),
    logger=log,
  )
  (before,) = learner.get_variables(['params'])
  for _ in range(num_steps):
    learner.step()
  (after,) = learner.get_variables(['params'])
  return before, after, log.values


@pytest.mark.slow
def test_each_agent_learns_what_its_own_experiment_is_about():
  before, after, values = _learn('several', num_steps=2)
  groups = {'moa_core': [0], 'dense/stack_1': [0], 'message_': [2]}
  for module, group in before.items():
    moved = [
      i
      for i in range(N)
      if any(np.any(x[i] != after[module][k][i]) for k, x in group.items())
    ]
    expected = [v for k, v in groups.items() if module.startswith(k)]
    assert moved == (expected[0] if expected else [0, 1, 2, 3]), module
  numbers = [x for x in values.values() if isinstance(x, float)]
  assert np.isfinite(numbers).all() and len(numbers) > 10


@pytest.mark.slow
def test_weights_of_what_is_of_no_concern_never_change():
  before, after, _ = _learn('several', num_steps=2)
  core, learned = before['policy_core']['w'], after['policy_core']['w']
  # 32 features, N last actions, one influencer's action, N messages.
  last, now = slice(32, 32 + N * A), slice(32 + N * A, 32 + N * A + A)
  heard = slice(32 + N * A + A, 32 + N * A + A + N * 9)
  knows = {0: [last], 1: [], 2: [heard], 3: [last, now]}
  for agent, known in knows.items():
    for part in (last, now, heard):
      moved = np.any(core[agent, part] != learned[agent, part])
      assert moved == (part in known), (agent, part)


class _Log(loggers.base.Logger):
  def write(self, values):
    self.values = values

  def close(self):
    pass


def test_metrics_are_means_over_those_who_have_them():
  _, _, values = _learn('moa', num_steps=1)
  assert np.isfinite(values['moa_loss'])
  assert values['influence_weight'] == dict.fromkeys(
    Mixed('moa').networks.agent_ids, 0.0
  )  # After no step.


def test_each_agents_reward_is_shaped_as_its_own():
  # Rewards 1, 0, 2 and 1. Prosocial, eta 1/2: 0 + (1 + 2 + 1) / 2 = 2. Inequity
  # averse: behind agent_0 and agent_3 by nothing, ahead of agent_1 by 1, behind
  # agent_2 by 1: 1 - (2 * 1 + 0.5 * 1) / 3.
  config = influence.InfluenceConfig(
    variant=('baseline', 'prosocial', 'baseline', 'inequity_aversion'),
    prosocial_weight=0.5,
    inequity_behind=2.0,
    inequity_ahead=0.5,
  )
  shape = reward_shaping.make_shape_fn(config)
  assert shape is not None
  rewards = np.array([1.0, 0.0, 2.0, 1.0], np.float32)
  shaped, _ = shape(rewards, np.zeros(N, np.float32))
  np.testing.assert_allclose(shaped, [1.0, 2.0, 2.0, 1 - 2.5 / 3], rtol=1e-6)


def test_as_many_variants_as_agents():
  config = influence.InfluenceConfig(variant=('moa', 'baseline'))
  environment = influence.make_environment(
    'coordination', config, 0, num_agents=3
  )
  spec = acme.make_environment_spec(environment)
  with pytest.raises(ValueError, match='variant is .*one for each of the 3 ag'):
    influence.make_networks(spec, config)


def _sample(population):
  """Makes up a batch of one long episode, as the replay holds it."""
  config = population.config
  rng = np.random.default_rng(1)
  rows = (config.batch_size, config.unroll_length + 1)

  def choices(count, *shape):
    return rng.integers(0, count, (*rows, *shape), dtype=np.int32)

  world = population.observation['world'].shape[2:]
  observation = {
    'world': rng.integers(0, 255, (*rows, N, *world), dtype=np.uint8),
    'actions': choices(A, N, N),
    'visible': np.ones((*rows, N, N), bool),
  }
  action = choices(A, N)
  extras = {
    'logits': np.zeros((*rows, N, A), np.float32),
    'learner_steps': np.zeros(rows, np.int32),
    'extrinsic': rng.normal(size=(*rows, N)).astype(np.float32),
    'influence': np.zeros((*rows, N), np.float32),
    'core_state': jax.tree_util.tree_map(
      lambda x: np.broadcast_to(x[None], (*rows, N, *x.shape[1:])),
      population.networks.agent.initial_state(N),
    ),
  }
  if config.has_messages:
    observation['messages'] = choices(9, N, N)
    action = {'action': action, 'message': choices(9, N)}
    extras['message_logits'] = np.zeros((*rows, N, 9), np.float32)
  data = reverb_base.Trajectory(
    observation,
    action,
    rng.normal(size=(*rows, N)).astype(np.float32),
    np.ones(rows, np.float32),
    np.zeros(rows, bool),
    extras,
  )
  return _Sample(data)


class _Sample:
  def __init__(self, data):
    self.data = data
