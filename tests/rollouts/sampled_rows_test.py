"""Rows of real training runs, recomputed by someone else from pixels to reward.

All nine variants live in one environment: what the replay holds is what the
parameters of the row's own learner step make of its observation and state, in
plain NumPy, however it is played. Populations of one variant, whose networks
are smaller, other tests compare with the same oracles.
"""

import functools
from typing import Any

import jax
import numpy as np
import pytest
import real_run
from oracles import variants_oracle

NUM_ROWS = 100
# Name -> each agent's variant, and options. Influencers come first.
_POPULATIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
  'jsd': (
    (
      'moa',
      'basic_influence',
      'communication',
      'visible_actions',
      'comm_baseline',
      'moa_baseline',
      'prosocial',
      'inequity_aversion',
      'baseline',
      'basic_influence',
    ),
    {
      'influence_measure': 'jsd',
      'num_symbols': 4,
      'num_influencers': 2,
      'influencee_reward': True,
    },
  ),
  'pmi': (
    (
      'basic_influence',
      'moa_baseline',
      'communication',
      'inequity_aversion',
      'moa',
      'visible_actions',
      'baseline',
      'communication',
      'prosocial',
      'comm_baseline',
    ),
    {
      'influence_measure': 'pmi',
      'num_symbols': 5,
      'message_extrinsic_weight': 0.0,
      # Those that are not rewarded have the weight 0, whatever stands here.
      'influence_weight': (2.0, 9.0, 1.0, 9.0, 2.0, 9.0, 9.0, 0.5, 9.0, 9.0),
    },
  ),
}


# Both ways go on with one learner, which compiles once.
@functools.lru_cache(maxsize=1)
def _make_run(name):
  """Makes a run, and says what each of its agents is."""
  variants, options = _POPULATIONS[name]
  return real_run.RealRun(variants, len(variants), **options), variants


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
        # Cells, unlike all else here, are not bounded by 1.
        atol = 1e-5 * max(1, np.abs(y).max())
        np.testing.assert_allclose(x, y, atol=atol)
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
@pytest.mark.parametrize('how', ['step_by_step', 'vectorised'])
@pytest.mark.parametrize('name', _POPULATIONS)
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
  largest = np.abs(np.concatenate(found)).max(axis=0)
  assert largest.max() > 1e-3
  plain = ('baseline', 'prosocial', 'inequity_aversion')
  assert not largest[np.isin(variants, plain)].any()
