import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles import populations

POPULATION = (
  populations.Constant(1),
  populations.Copier(0),
  populations.Cycler(3),
  populations.Uniform(3),
)


def _play(population, num_steps, first=None):
  """Returns int32 [T, N], what a population plays."""

  def one_step(last_actions, inputs):
    key, step = inputs
    actions = populations.joint_actions(population, key, step, last_actions)
    return actions, actions

  nobody_acted = jnp.full(len(population), -1, jnp.int32)
  keys = jax.random.split(jax.random.PRNGKey(0), num_steps)
  steps = jnp.arange(num_steps)
  return np.asarray(jax.lax.scan(one_step, nobody_acted, (keys, steps))[1])


def test_copier_plays_what_was_played_one_step_before():
  key = jax.random.PRNGKey(0)
  copier = populations.Copier(2)
  assert copier(key, 5, jnp.array([0, 1, 4])) == 4
  assert copier(key, 0, jnp.array([-1, -1, -1])) == 0


def test_cycler_and_constant_heed_nobody():
  key, nobody = jax.random.PRNGKey(0), jnp.array([-1, -1])
  cycler, constant = populations.Cycler(3), populations.Constant(2)
  assert [int(cycler(key, t, nobody)) for t in range(5)] == [0, 1, 2, 0, 1]
  assert [int(constant(key, t, nobody)) for t in range(3)] == [2, 2, 2]


def test_a_population_plays_together():
  actions = _play(POPULATION, 3_000)
  assert actions.dtype == np.int32
  np.testing.assert_array_equal(actions[:, 0], 1)
  np.testing.assert_array_equal(actions[:4, 1], [0, 1, 1, 1])
  np.testing.assert_array_equal(actions[:, 2], np.arange(3_000) % 3)
  # Each of three actions is played in a third of the steps: within 4 standard
  # errors, sqrt(1/3 * 2/3 / 3000) = 0.0086.
  shares = np.bincount(actions[:, 3], minlength=3) / 3_000
  np.testing.assert_allclose(shares, 1 / 3, atol=4 * 0.0086)


def test_random_agents_are_independent_of_each_other():
  actions = _play((populations.Uniform(4), populations.Uniform(4)), 500)
  assert 0.1 < (actions[:, 0] == actions[:, 1]).mean() < 0.4


def test_policies_are_static_arguments():
  @functools.partial(jax.jit, static_argnums=0)
  def act(policy, last_actions):
    return policy(jax.random.PRNGKey(0), 0, last_actions)

  for policy in POPULATION:
    assert act(policy, jnp.array([2, 0])).dtype == jnp.int32


def test_influence_by_hand():
  # I play 0 with probability 1/4. agent_1 copies me, agent_2 ignores me.
  population = (populations.Uniform(2), POPULATION[1], POPULATION[2])
  p = np.array([0.25, 0.75])
  kl = populations.closed_form_influence(population, 0, p)
  np.testing.assert_allclose(kl, [[np.log(4), 0], [np.log(4 / 3), 0]])
  pmi = populations.closed_form_influence(population, 0, p, 'pmi')
  np.testing.assert_allclose(pmi, kl)
  # m = (5/8, 3/8) after action 0:
  # (log 8/5 + 1/4 log 2/5 + 3/4 log 2) / 2 = 0.380396 nats.
  # m = (1/8, 7/8) after action 1:
  # (log 8/7 + 3/4 log 6/7 + 1/4 log 2) / 2 = 0.095603 nats.
  jsd = populations.closed_form_influence(population, 0, p, 'jsd')
  np.testing.assert_allclose(jsd, [[0.380396, 0], [0.095603, 0]], atol=1e-6)


def test_influence_skips_me_and_keeps_the_agents_order():
  population = (
    populations.Copier(2),
    populations.Copier(1),
    populations.Copier(2),  # Me: what I copy makes no difference.
    populations.Copier(2),
  )
  influence = populations.closed_form_influence(population, 2, np.ones(2) / 2)
  np.testing.assert_allclose(influence, np.log(2) * np.array([[1, 0, 1]] * 2))


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=9))
def test_influence_against_the_definition(weights):
  p = np.array(weights) / np.sum(weights)
  pair = (populations.Uniform(len(p)), populations.Copier(0))
  one_hot = np.eye(len(p))
  middle = (one_hot + p) / 2

  def divergence(x, y):
    return np.sum(np.where(x > 0, x * np.log(np.where(x > 0, x, 1) / y), 0), 1)

  kl = populations.closed_form_influence(pair, 0, p, 'kl')[:, 0]
  np.testing.assert_allclose(kl, divergence(one_hot, p), atol=1e-9)
  jsd = populations.closed_form_influence(pair, 0, p, 'jsd')[:, 0]
  expected = divergence(one_hot, middle) + divergence(p[None], middle)
  np.testing.assert_allclose(jsd, expected / 2, atol=1e-9)
  # The mean of KL over my policy is the mutual information: here my entropy.
  np.testing.assert_allclose(p @ kl, -(p * np.log(p)).sum())


def test_unknown_measures_raise():
  with pytest.raises(ValueError, match="'mi'.*'kl', 'jsd' or 'pmi'"):
    populations.closed_form_influence(POPULATION, 0, np.ones(3) / 3, 'mi')
