"""Environments on the host: rows are those of the compiled rollout."""

import dataclasses
import functools
import threading
from typing import Any

import dm_env
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import environments
from influence_acme.environments import matrix
from influence_acme.rollouts import (
  episodes,
  host_environments,
  layout,
  records,
  unroll,
  vector_environment,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import policy as policy_lib
from influence_acme.system import specs, wrap
from influence_acme.testing import fakes

B, T, NUM_UNROLLS = 3, 6, 3
SEEDS = (11, 2**32 - 5, 7)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RandomLengths(matrix.Coordination):
  """Each episode is of a length of its own; those of odd ones end by death."""

  def reset(self, key):
    state, step = super().reset(key)
    return (state, jax.random.randint(key, (), 2, 7)), step

  def step(self, state, actions):
    state, length = state
    state, step = super().step(state, actions)
    is_last = state.time == length
    is_death = is_last & (length % 2 == 1)
    return (state, length), step._replace(
      step_type=jnp.where(is_last, dm_env.StepType.LAST, step.step_type),
      discount=jnp.where(is_death, 0.0, step.discount),
    )


GAMES = {
  'equal lengths': environments.functional(
    'coordination', num_agents=3, episode_length=7
  ),
  'random lengths': RandomLengths(num_agents=3, episode_length=9),
}
VARIANTS: dict[str, dict[str, Any]] = {
  'moa': {},
  'moa by pmi': {'influence_measure': 'pmi'},
  'communication': {'variant': 'communication', 'num_symbols': 5},
}


class Population:
  """Agents of random parameters, and what they play."""

  def __init__(self, make_environment, **options):
    self.config = config_lib.InfluenceConfig(hidden_size=8, **options)
    self._make_environment = make_environment
    spec = specs.make_environment_spec(self.make_environment(0))
    self.networks = networks_lib.from_spec(spec, self.config)
    self.policy = policy_lib.make_joint_policy(self.networks, self.config)
    rng = np.random.default_rng(0)
    params = jax.tree_util.tree_map(
      lambda x: rng.normal(0, 0.3, x.shape).astype(x.dtype),
      jax.eval_shape(self.networks.init, jax.random.PRNGKey(0)),
    )
    weight = np.array([2.0, 0.0, 0.5][: len(self.networks.agent_ids)])
    self._actor_params = records.ActorParams(
      params, weight.astype(np.float32), np.int32(3)
    )

  def make_environment(self, seed):
    return wrap.wrap_environment(self._make_environment(seed), self.config)

  def on_host(self, seeds, indices=None):
    """Plays some of the environments; returns sequences and episodes."""
    batch = host_environments.HostEnvironments(
      [self.make_environment(seed) for seed in seeds], self.policy.agent_ids
    )
    rollout = host_environments.make_rollout(
      batch, self.policy, T, layout.to_replay
    )
    played = self.play(rollout, seeds, indices)
    batch.close()
    return played

  def compiled(self, functional):
    """Plays all environments in one compiled call an unroll."""
    environment = vector_environment.VectorEnvironment(
      functional, self.config.has_messages
    )
    return self.play(unroll.make_rollout(environment, self.policy, T), SEEDS)

  def play(self, rollout, seeds, indices=None):
    indices = range(len(seeds)) if indices is None else indices
    keys = [jax.random.fold_in(jax.random.PRNGKey(4), i) for i in indices]
    state, first, _ = rollout.start(
      self._actor_params,
      np.stack([jax.random.PRNGKey(seed) for seed in seeds]),
      np.stack(keys),
    )
    buffer = episodes.EpisodeBuffer(len(seeds), self.policy.delay)
    ended, unrolls = buffer.add(first), []
    for _ in range(NUM_UNROLLS):
      state, part, sequences = rollout.unroll(self._actor_params, state)
      ended += buffer.add(part)
      unrolls.append(jax.tree_util.tree_map(np.array, sequences))
    return jax.tree_util.tree_map(lambda *x: np.stack(x), *unrolls), ended


def _assert_equal(left, right):
  """Discrete values are equal, and all others nearly."""

  def check(x, y):
    assert x.dtype == y.dtype and x.shape == y.shape
    if np.issubdtype(x.dtype, np.floating):
      np.testing.assert_allclose(x, y, atol=1e-5)
    else:
      np.testing.assert_array_equal(x, y)

  jax.tree_util.tree_map(check, left, right)


@pytest.mark.parametrize(
  'variant, game',
  [('moa', 'equal lengths')] + [(name, 'random lengths') for name in VARIANTS],
)
def test_rows_and_episodes_are_those_of_the_compiled_rollout(variant, game):
  functional = GAMES[game]
  population = Population(
    functools.partial(environments.MultiAgentEnvironment, functional),
    **VARIANTS[variant],
  )
  expected, expected_episodes = population.compiled(functional)
  actual, actual_episodes = population.on_host(SEEDS)
  starts = actual.start_of_episode[:, :, 1:]
  assert starts.any()
  is_same_time = np.all(starts == starts[:, :1])
  assert is_same_time == (game == 'equal lengths')
  if game == 'random lengths':
    last = np.roll(actual.start_of_episode, -2, axis=2)[:, :, :-2]
    assert {0.0, 1.0} <= set(actual.discount[:, :, :-2][last])
  assert np.abs(actual.extras['influence']).max() > 1e-3
  _assert_equal(actual, expected)

  assert len(actual_episodes) == len(expected_episodes) > B
  for x, y in zip(actual_episodes, expected_episodes, strict=True):
    _assert_equal(
      jax.tree_util.tree_map(np.asarray, x),
      jax.tree_util.tree_map(np.asarray, y),
    )


def test_an_environment_is_not_touched_by_those_beside_it():
  # Scripts of different lengths and rewards, one ending by death.
  scripts = {
    0: fakes.time_limit(3, reward=1.0),
    1: fakes.death(5, reward=-2.0),
    2: fakes.time_limit(1, reward=0.5),
  }
  population = Population(
    lambda seed: fakes.FakeMultiAgentEnvironment(script=scripts[seed])
  )
  together, ended = population.on_host((0, 1, 2))
  alone, ended_alone = population.on_host((1,), indices=(1,))
  _assert_equal(jax.tree_util.tree_map(lambda x: x[:, 1:2], together), alone)
  assert {x.totals.num_steps for x in ended_alone} == {5}
  # 19 rows of each: with padding, episodes take 4, 6 and 2.
  assert len(ended) == (19 + 1) // 4 + (19 + 1) // 6 + (19 + 1) // 2
  totals = {x.totals.num_steps: x.totals.returns.tolist() for x in ended}
  assert totals == {3: [3, 3], 5: [-10, -10], 1: [0.5, 0.5]}


class _Environment(fakes.FakeMultiAgentEnvironment):
  def __init__(self, log, fails=()):
    super().__init__(episode_length=2)
    self._log, self._fails = log, fails

  def step(self, action):
    if 'step' in self._fails:
      raise RuntimeError('the arm is broken')
    self._log.append(threading.current_thread().name)
    return super().step(action)

  def close(self):
    self._log.append('closed')
    if 'close' in self._fails:
      raise OSError('already gone')


def _batch(*each):
  log: list[str] = []
  made = [_Environment(log, fails) for fails in each]
  return host_environments.HostEnvironments(made, made[0].agent_ids), log


def test_an_error_of_one_environment_is_raised():
  batch, log = _batch((), 'step', ())
  batch.reset()
  with pytest.raises(RuntimeError, match='the arm is broken'):
    batch.step(np.zeros((2, 3), np.int32))
  batch.close()
  assert log.count('closed') == 3


def test_all_are_closed_even_if_one_cannot_be():
  batch, log = _batch((), 'close', ())
  with pytest.raises(OSError, match='already gone'):
    batch.close()
  assert log == ['closed'] * 3


def test_the_next_step_after_the_last_starts_an_episode():
  batch, _ = _batch((), ())
  actions = np.zeros((2, 2), np.int32)
  steps = [batch.reset(), *[batch.step(actions) for _ in range(5)]]
  assert [bool(s.is_first[0]) for s in steps] == [1, 0, 0, 1, 0, 0]
  assert [bool(s.is_last[0]) for s in steps] == [0, 0, 1, 0, 0, 1]
  np.testing.assert_array_equal([s.reward[0, 0] for s in steps], [0, 1, 1] * 2)
  assert [float(s.discount[0]) for s in steps] == [1.0] * 6
  assert steps[0].observation['world'].shape[:2] == (2, 2)


def test_a_reset_changes_no_step_that_was_returned():
  batch, _ = _batch((), ())
  before = batch.reset()
  batch.reset()
  assert not before.is_last.any()
