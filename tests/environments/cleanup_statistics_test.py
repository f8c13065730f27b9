"""Whole episodes against statistics of an independent implementation.

Where the reference keeps the value of every episode, both samples are held
against each other by Kolmogorov and Smirnov's test; else means by their
difference over its standard error, and quantiles by how many of our episodes
lie below them. Everything must hold at p > 1e-3.
"""

import functools
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from influence_acme.environments import cleanup
from influence_acme.environments.grid import beams, moves
from influence_acme.environments.grid import draws as draws_lib

REFERENCE = json.loads(
  (pathlib.Path(__file__).parent / 'cleanup_reference.json').read_text('utf-8')
)
TIMES = tuple(REFERENCE['times'])
POLICIES = tuple(REFERENCE['runs'])
NUM_EPISODES = 200
MIN_P = 1e-3
# Two-sided normal quantile of MIN_P.
MAX_Z = stats.norm.isf(MIN_P / 2)

ENV = cleanup.Cleanup(num_agents=5, episode_length=1000)


def one_step(policy, state, key):
  """Returns the next state and what happened, counted over all agents."""
  actions = jnp.full(5, moves.Action.STAY)
  if policy == 'random':
    actions = jax.random.randint(key, (5,), 0, ENV.num_actions)
  after, step = ENV.step(state, actions)
  reward = step.reward

  fires, cleans = actions == moves.Action.FIRE, actions == moves.Action.CLEAN
  occupants = moves.occupants(after.positions, ENV.level.shape)
  lanes = beams.trace(after.positions, after.headings, occupants)
  draws = ENV.draw(jax.random.split(state.key)[1])  # As the step drew them.
  left, covered = beams.clean(
    lanes, cleans, state.waste, draws_lib.ranks(draws.agents)
  )
  # A reward is apples - fires - 50 hits, with at most one apple.
  hits = -((reward + fires) // 50)
  moved = jnp.any(after.positions != state.positions, axis=1)
  counts = {
    'agent0_return': reward[0],
    'other_agents_return': reward[1:].mean(),
    'collective_return': reward.sum(),
    'apples_eaten': (reward + fires + 50 * hits).sum(),
    'fires_used': fires.sum(),
    'fire_hits': hits.sum(),
    'cleans_used': cleans.sum(),
    'clean_beam_hits_on_agents': (covered & (lanes.agents > 0)).sum(),
    'waste_cells_cleaned': state.waste.sum() - left.sum(),
    'moves_made': moved.sum(),
  }
  return after, (counts, after.apples.sum(), after.waste.sum())


@functools.cache
def simulate(policy):
  """Returns name -> [episodes] for every statistic of the reference."""

  def episode(key):
    reset_key, key = jax.random.split(key)
    state, _ = ENV.reset(reset_key)
    if policy == 'noop_probe':
      state = state._replace(waste=jnp.zeros_like(state.waste))
    _, (counts, apples, waste) = jax.lax.scan(
      functools.partial(one_step, policy), state, jax.random.split(key, 1000)
    )
    counts = {name: values.sum() for name, values in counts.items()}
    first = state.apples.sum()[None], state.waste.sum()[None]
    return counts, *map(jnp.append, first, (apples, waste))

  keys = jax.random.split(jax.random.PRNGKey(2019), NUM_EPISODES)
  results, apples, waste = jax.device_get(jax.jit(jax.vmap(episode))(keys))
  for t in TIMES:
    results[f'apples_on_map_{t}'] = apples[:, t]
    results[f'waste_cells_{t}'] = waste[:, t]
    results[f'waste_density_{t}'] = waste[:, t] / 119
  return results


def summaries():
  """Yields (policy, name, summary) of every statistic of the reference."""
  for policy, run in REFERENCE['runs'].items():
    for name, summary in run.items():
      if name in ('per_episode', 'n_episodes'):
        continue
      for t, values in summary.items() if 'mean' not in summary else ():
        yield policy, f'{name}_{t}', values
      if 'mean' in summary:
        yield policy, name, summary


SUMMARIES = list(summaries())
SUMMARY_IDS = [f'{policy}-{name}' for policy, name, _ in SUMMARIES]


@pytest.mark.parametrize('policy', POLICIES)
def test_every_statistic_is_simulated(policy):
  results = simulate(policy)
  assert set(results) == {name for p, name, _ in SUMMARIES if p == policy}
  assert all(values.shape == (NUM_EPISODES,) for values in results.values())


@pytest.mark.parametrize(
  ('policy', 'name'),
  [
    (policy, name)
    for policy, run in REFERENCE['runs'].items()
    for name in run['per_episode']
  ],
)
def test_distribution(policy, name):
  theirs = REFERENCE['runs'][policy]['per_episode'][name]
  ours = simulate(policy)[name]
  assert stats.ks_2samp(ours, theirs).pvalue > MIN_P


@pytest.mark.parametrize(
  ('policy', 'name', 'summary'), SUMMARIES, ids=SUMMARY_IDS
)
def test_mean(policy, name, summary):
  ours = simulate(policy)[name]
  difference = ours.mean() - summary['mean']
  num_theirs = REFERENCE['runs'][policy]['n_episodes']
  error = np.hypot(
    ours.std(ddof=1) / np.sqrt(len(ours)), summary['sd'] / np.sqrt(num_theirs)
  )
  # The reference gives four decimals.
  assert abs(difference) <= MAX_Z * error + 5e-5


@pytest.mark.parametrize(
  ('policy', 'name', 'summary'), SUMMARIES, ids=SUMMARY_IDS
)
def test_quantiles(policy, name, summary):
  ours = simulate(policy)[name]
  num_theirs = REFERENCE['runs'][policy]['n_episodes']
  for percent in (5, 25, 50, 75, 95):
    share, value = percent / 100, summary[f'q{percent:02}']
    variance = share * (1 - share) * (1 / len(ours) + 1 / num_theirs)
    # Counts have ties: the share must lie between "below" and "at most".
    slack = MAX_Z * np.sqrt(variance)
    assert np.mean(ours < value - 1e-6) <= share + slack, percent
    assert np.mean(ours <= value + 1e-6) >= share - slack, percent


def test_random_rewards_add_up():
  results = simulate('random')
  np.testing.assert_allclose(
    results['collective_return'],
    results['apples_eaten'] - results['fires_used'] - 50 * results['fire_hits'],
  )
