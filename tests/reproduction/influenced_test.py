"""Tests of the correlation of being influenced with return, by hand."""

import json

import numpy as np
import pytest

from influence_acme.reproduction import influenced
from influence_acme.reproduction import results as results_lib


@pytest.fixture(name='finish')
def _finish(write_log, write_checkpoint):
  """Finishes a run: with agents' returns, and the influence on each of them."""

  def finish(run, returns, influences, steps=100):
    write_log(run, [(100, returns, 0)])
    write_checkpoint(run, steps)
    by_agent = influences and {
      f'agent_{i}': float(value) for i, value in enumerate(influences)
    }
    path = run.directory.path / 'episode.json'
    path.write_text(json.dumps({'influenced': by_agent}))

  return finish


def _groups(sweep):
  return results_lib.by_setting(results_lib.load(sweep))


def test_each_variant_by_agent_and_by_run(make_sweep, finish):
  sweep = make_sweep(seeds=(0, 1, 2), variants=('baseline', 'moa'))
  runs = sweep.runs()
  for run in runs[:3]:
    finish(run, (5, 5), None)
  finish(runs[3], (10, 12), (1, 3))  # Means 11 and 2.
  finish(runs[4], (20, 18), (3, 3))  # 19 and 3.
  finish(runs[5], (16, 14), (4, 4))  # 15 and 4.
  (line,) = influenced.lines(_groups(sweep))
  influence, returns = (1, 3, 3, 3, 4, 4), (10, 12, 20, 18, 16, 14)
  expected = np.corrcoef(influence, returns)[0, 1]
  assert f'moa: over 6 agents Pearson {expected:.2f}, Spearman' in line
  # Deviations -1 0 1 and -4 4 0; of six pairings three are as strong.
  assert 'over 3 means of runs Pearson 0.50 (p = 1), Spearman 0.50.' in line


def test_who_acts_first_is_influenced_by_nobody(make_sweep, finish):
  sweep = make_sweep(
    experiment='basic',
    variants=('basic_influence',),
    seeds=(0,),
    num_agents=3,
  )
  (run,) = sweep.runs()
  assert run.config.num_influencers == 1
  finish(run, (90, 1, 2), (0, 0.25, 0.5))
  (result,) = results_lib.load(sweep)
  assert influenced.points([result]) == [
    ('paper', 0, 0.25, 1),
    ('paper', 0, 0.5, 2),
  ]


def test_a_search_is_correlated_over_settings(make_sweep, finish):
  sweep = make_sweep(search=3, seeds=(0, 1), variants=('moa',))
  for run, value in zip(sweep.runs(), (1, 1, 2, 2, 3, 3), strict=True):
    finish(run, (value, value), (value, value))
  (line,) = influenced.lines(_groups(sweep))
  # The best of six pairings.
  assert 'over 3 means of settings Pearson 1.00 (p = 0.33)' in line


def test_few_or_unfinished_runs(make_sweep, finish):
  sweep = make_sweep(seeds=(0, 1), variants=('moa',))
  finished, other = sweep.runs()
  finish(finished, (1, 2), (1, 2))
  finish(other, (1, 2), (1, 2), steps=60)
  assert influenced.lines(_groups(sweep)) == [
    'moa: over 2 agents no correlation can be told; '
    'over 1 means of runs no correlation can be told.'
  ]
