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

from influence_acme import environments
from influence_acme.environments.grid import beams, moves
from influence_acme.environments.grid import draws as draws_lib

GAMES = ('cleanup', 'harvest')
FOLDER = pathlib.Path(__file__).parent
REFERENCES = {
  game: json.loads((FOLDER / f'{game}_reference.json').read_text('utf-8'))
  for game in GAMES
}
RUNS = {
  (game, policy): run
  for game in GAMES
  for policy, run in REFERENCES[game]['runs'].items()
}
ENVS = {game: environments.functional(game, num_agents=5) for game in GAMES}
NUM_EPISODES = 200
NUM_STEPS = 1000
MIN_P = 1e-3
# Two-sided normal quantile of MIN_P.
MAX_Z = stats.norm.isf(MIN_P / 2)


def probe(game, state):
  """Returns the state with its map edited to isolate what grows."""
  if game == 'cleanup':
    return state._replace(waste=jnp.zeros_like(state.waste))
  index = jnp.cumsum(state.apples).reshape(state.apples.shape) - 1
  return state._replace(apples=state.apples & (index % 2 == 0))


def cleaning(env, state, actions, after):
  """Returns what the CLEAN beams of a step did."""
  cleans = actions == moves.Action.CLEAN
  occupants = moves.occupants(after.positions, env.level.shape)
  lanes = beams.trace(after.positions, after.headings, occupants)
  draws = env.draw(jax.random.split(state.key)[1])  # As the step drew them.
  left, covered, _ = beams.clean(
    lanes, cleans, state.waste, draws_lib.ranks(draws.agents)
  )
  return {
    'cleans_used': cleans.sum(),
    'clean_beam_hits_on_agents': (covered & (lanes.agents > 0)).sum(),
    'waste_cells_cleaned': state.waste.sum() - left.sum(),
  }


def one_step(game, policy, state, key):
  """Returns the next state and what happened, counted over all agents."""
  env = ENVS[game]
  actions = jnp.full(5, moves.Action.STAY)
  if policy == 'random':
    actions = jax.random.randint(key, (5,), 0, env.num_actions)
  after, step = env.step(state, actions)
  reward = step.reward

  fires = actions == moves.Action.FIRE
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
    'moves_made': moved.sum(),
  }
  if game == 'cleanup':
    counts |= cleaning(env, state, actions, after)
  return after, (counts, on_map(game, after))


def on_map(game, state):
  """Returns how many things there are on the map, by name."""
  things = {'apples_on_map': state.apples.sum()}
  if game == 'cleanup':
    things['waste_cells'] = state.waste.sum()
    things['waste_density'] = state.waste.sum() / 119
  return things


@functools.cache
def simulate(game, policy):
  """Returns name -> [episodes] for every statistic of the reference."""

  def episode(key):
    reset_key, key = jax.random.split(key)
    state, _ = ENVS[game].reset(reset_key)
    if policy == 'noop_probe':
      state = probe(game, state)
    step = functools.partial(one_step, game, policy)
    _, (counts, things) = jax.lax.scan(
      step, state, jax.random.split(key, NUM_STEPS)
    )
    counts = {name: values.sum() for name, values in counts.items()}
    first = on_map(game, state)
    return counts, {
      name: jnp.append(first[name], values) for name, values in things.items()
    }

  keys = jax.random.split(jax.random.PRNGKey(2019), NUM_EPISODES)
  results, things = jax.device_get(jax.jit(jax.vmap(episode))(keys))
  for name, values in things.items():
    for t in REFERENCES[game]['times']:
      results[f'{name}_{t}'] = values[:, t]
  return results


def summaries():
  """Yields (game, policy, name, summary) of all statistics of references."""
  for (game, policy), run in RUNS.items():
    for name, summary in run.items():
      if name in ('per_episode', 'n_episodes'):
        continue
      for t, values in summary.items() if 'mean' not in summary else ():
        yield game, policy, f'{name}_{t}', values
      if 'mean' in summary:
        yield game, policy, name, summary


SUMMARIES = list(summaries())
SUMMARY_IDS = ['-'.join(names) for *names, _ in SUMMARIES]


@pytest.mark.parametrize(('game', 'policy'), RUNS)
def test_every_statistic_is_simulated(game, policy):
  results = simulate(game, policy)
  names = {n for g, p, n, _ in SUMMARIES if (g, p) == (game, policy)}
  assert set(results) == names
  assert all(values.shape == (NUM_EPISODES,) for values in results.values())


@pytest.mark.parametrize(
  ('game', 'policy', 'name'),
  [(*key, name) for key, run in RUNS.items() for name in run['per_episode']],
)
def test_distribution(game, policy, name):
  theirs = RUNS[game, policy]['per_episode'][name]
  ours = simulate(game, policy)[name]
  assert stats.ks_2samp(ours, theirs).pvalue > MIN_P


@pytest.mark.parametrize(
  ('game', 'policy', 'name', 'summary'), SUMMARIES, ids=SUMMARY_IDS
)
def test_mean(game, policy, name, summary):
  ours = simulate(game, policy)[name]
  difference = ours.mean() - summary['mean']
  num_theirs = RUNS[game, policy]['n_episodes']
  error = np.hypot(
    ours.std(ddof=1) / np.sqrt(len(ours)), summary['sd'] / np.sqrt(num_theirs)
  )
  # The reference gives four decimals.
  assert abs(difference) <= MAX_Z * error + 5e-5


@pytest.mark.parametrize(
  ('game', 'policy', 'name', 'summary'), SUMMARIES, ids=SUMMARY_IDS
)
def test_quantiles(game, policy, name, summary):
  ours = simulate(game, policy)[name]
  num_theirs = RUNS[game, policy]['n_episodes']
  for percent in (5, 25, 50, 75, 95):
    share, value = percent / 100, summary[f'q{percent:02}']
    variance = share * (1 - share) * (1 / len(ours) + 1 / num_theirs)
    # Counts have ties: the share must lie between "below" and "at most".
    slack = MAX_Z * np.sqrt(variance)
    assert np.mean(ours < value - 1e-6) <= share + slack, percent
    assert np.mean(ours <= value + 1e-6) >= share - slack, percent


@pytest.mark.parametrize('game', GAMES)
def test_random_rewards_add_up(game):
  results = simulate(game, 'random')
  np.testing.assert_allclose(
    results['collective_return'],
    results['apples_eaten'] - results['fires_used'] - 50 * results['fire_hits'],
  )
