"""Rows of real training runs, recomputed by someone else from pixels to reward.

Of each variant, and of populations of several: what the replay holds is what
the parameters of the row's own learner step make of its observation and state,
in plain NumPy. Populations of several are played in both ways; that both are
the same for each variant, other tests say.
"""

import functools
from typing import Any

import jax
import numpy as np
import pytest
import real_run
from oracles import variants_oracle

from influence_acme.agents import influence

NUM_ROWS = 100
_MIXED = {
  'models': ('moa', 'moa_baseline', 'baseline', 'prosocial'),
  'turns': ('basic_influence', 'baseline', 'visible_actions', 'prosocial'),
  'speech': ('communication', 'comm_baseline', 'baseline', 'communication'),
  'none': ('baseline', 'prosocial', 'inequity_aversion'),
  # All three experiments in one world.
  'all': (
    'moa',
    'basic_influence',
    'communication',
    'visible_actions',
    'comm_baseline',
    'prosocial',
    'baseline',
    'basic_influence',
  ),
}
_OPTIONS: dict[str, dict[str, Any]] = {
  'basic_influence': {'influence_measure': 'jsd', 'influencee_reward': True},
  'visible_actions': {'num_influencers': 2},
  'communication': {'num_symbols': 4, 'message_extrinsic_weight': 0.0},
  'moa_baseline': {'influence_measure': 'pmi'},
  'models': {'influence_measure': 'pmi'},
  'turns': {'num_influencers': 2, 'influencee_reward': True},
  'speech': {'num_symbols': 4, 'influence_weight': (2.0, 9.0, 9.0, 0.5)},
  'all': {'num_symbols': 4, 'num_influencers': 2, 'influencee_reward': True},
}


# Both ways go on with one learner, which compiles once.
@functools.lru_cache(maxsize=1)
def _make_run(name):
  """Makes a run, and says what each of its agents is."""
  variants = _MIXED.get(name, (name,) * 3)
  run = real_run.RealRun(
    variants if name in _MIXED else name,
    len(variants),
    **_OPTIONS.get(name, {}),
  )
  return run, variants


def _at(rows, b, t):
  return jax.tree_util.tree_map(lambda x: x[b, t], rows)


def _check_episode(run, variants, rows, b, first, chosen):
  """Checks the chosen rows of one episode, and all of its states."""
  steps = [_at(rows, b, first + t) for t in range(real_run.LENGTH)]
  versions = [run.versions[int(row.extras['learner_steps'])] for row in steps]
  influence_of, state = [], None
  for t, (row, version) in enumerate(zip(steps, versions, strict=True)):
    stored = row.extras['core_state']
    if state is None:
      state = stored
      assert not any(x.any() for x in jax.tree_util.tree_leaves(stored))
    elif any(x.any() for x in jax.tree_util.tree_leaves(stored)):
      # Rows that are not the first of a sequence may have zeros.
      for x, y in zip(
        *map(jax.tree_util.tree_leaves, (stored, state)), strict=True
      ):
        np.testing.assert_allclose(x, y, atol=1e-5)
    row = row._replace(extras=dict(row.extras, core_state=state))
    following = t + 1 < real_run.LENGTH
    expected = variants_oracle.recompute(
      run.config,
      variants,
      version['params'],
      row,
      steps[t + 1] if following else None,
      versions[t + 1]['params'] if following else version['params'],
    )
    if chosen[t]:
      for name in ('logits', 'message_logits', 'influence'):
        if name in row.extras and hasattr(expected, name):
          np.testing.assert_allclose(
            row.extras[name], getattr(expected, name), atol=2e-5
          )
    influence_of.append(expected.influence)
    state = expected.core_state
  rewards = variants_oracle.rewards(
    run.config,
    variants,
    np.stack([row.extras['extrinsic'] for row in steps]),
    np.stack(influence_of),
    np.array(
      [
        min(v['counts']['environment_steps'] / real_run.CURRICULUM, 1)
        for v in versions
      ]
    ),
  )
  actual = np.stack([row.reward for row in steps])
  np.testing.assert_allclose(actual[chosen], rewards[chosen], atol=1e-4)
  return np.stack(influence_of)[chosen]


@pytest.mark.slow
@pytest.mark.parametrize(
  ('name', 'how'),
  [
    *((name, 'step_by_step') for name in influence.VARIANTS),
    *((name, how) for name in _MIXED for how in ('step_by_step', 'vectorised')),
  ],
)
def test_a_hundred_rows_equal_the_oracle(name, how):
  run, variants = _make_run(name)
  rows = getattr(run, how)()
  assert len(run.versions) > real_run.LEARNER_STEPS
  assert np.isfinite(run.losses).all()
  num_streams, num_rows = rows.start_of_episode.shape
  # Whole episodes alone; the row of their last observation is empty.
  episodes = [
    (b, first)
    for b in range(num_streams)
    for first in range(0, num_rows - real_run.LENGTH, real_run.LENGTH + 1)
  ]
  at = np.random.default_rng(0).permutation(len(episodes) * real_run.LENGTH)
  chosen = (at < NUM_ROWS).reshape(-1, real_run.LENGTH)
  assert chosen.sum() == NUM_ROWS
  found = []
  for (b, first), mine in zip(episodes, chosen, strict=True):
    assert rows.start_of_episode[b, first]
    found.append(_check_episode(run, variants, rows, b, first, mine))
    empty = _at(rows, b, first + real_run.LENGTH)
    assert not np.any(empty.reward) and not np.any(empty.extras['influence'])
  is_judged = np.abs(np.concatenate(found)).max() > 1e-3
  unjudged = {'baseline', 'prosocial', 'inequity_aversion'}
  assert is_judged == bool(set(variants) - unjudged)
