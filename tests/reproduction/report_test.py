"""Tests of the report, of logs written by hand."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
from imageio import v3 as imageio

from influence_acme import reproduction
from influence_acme.reproduction import report as report_lib
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import results_file
from influence_acme.runs import curves

_ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(name='sweep')
def _sweep(make_sweep, write_log, write_checkpoint):
  """Baseline: seed 0 fined, seed 1 lazy; MOA: seed 0, and not finished."""
  sweep = make_sweep()
  baseline_0, baseline_1, moa_0, _ = sweep.runs()
  both, one = ({'agent_0': float(x), 'agent_1': 2.0} for x in (1, 0))
  write_log(baseline_0, [(50, (-5, 1), -7), (100, (-3, 7), 3)], apples=both)
  write_log(baseline_1, [(50, (0, 4), 2), (100, (-2, 8), 1)], apples=one)
  write_log(moa_0, [(60, (10, 30), 30)], apples=one)
  write_checkpoint(baseline_0, 100)
  write_checkpoint(baseline_1, 104)
  write_checkpoint(moa_0, 60)
  return sweep


def test_results_of_runs(sweep):
  first, lazy, short = results_lib.load(sweep)
  assert (first.final_return, first.final('fair_return')) == (4, 3)
  assert first.final_returns == {'agent_0': -3, 'agent_1': 7}
  # Agent 0 always paid more fines than it got, and yet collected.
  assert first.lazy_agents == []
  assert not first.lazy_text
  assert (first.is_finished, short.is_finished) == (True, False)
  assert lazy.lazy_agents == ['agent_0']
  assert lazy.lazy_text == 'agent_0'
  # One lucky apple at the start clears nobody.
  steps, apples = np.array([10.0, 500, 950, 1000]), np.array([1.0, 0, 0, 0])
  lucky = dataclasses.replace(
    lazy, series={'apples/agent_0': curves.Series(steps, apples, 1000.0)}
  )
  assert lucky.lazy_agents == []
  assert lucky.lazy_text == 'agent_0 in the last 10% of the steps'
  assert short.steps == 60


def test_the_best_setting_comes_first(make_sweep, write_log, write_checkpoint):
  sweep = make_sweep(search=4, seeds=(0,), variants=('moa',))
  for run, value in zip(sweep.runs(), (1, 5, 3, 9), strict=True):
    write_log(run, [(100, (value, 0), 0)])
    # The one that looks best is not finished: it is not ranked.
    write_checkpoint(run, 60 if value == 9 else 100)
  groups = results_lib.by_setting(results_lib.load(sweep))
  assert list(groups['moa']) == ['setting_001', 'setting_002', 'setting_000']
  reproduction.write_report(sweep)
  assert imageio.imread(sweep.directory / 'robustness.png').any()
  assert 'setting_003 |' not in (sweep.directory / 'report.md').read_text()


def test_the_text(sweep):
  text = reproduction.write_report(sweep)
  assert (sweep.directory / 'report.md').read_text() == text
  assert '2 of 4 runs have finished 100 environment' in text
  assert '- not finished: moa/paper/seed_0 (60 steps).' in text
  assert 'of finished runs alone' in text
  # 4 and 6: error 1, by t of 1 degree of freedom at 0.9975, 127.32; 3 and 1.
  assert (
    '| baseline | paper | 2 | 5.0 ± 127.3 | 2.0 ± 127.3 | 2.5 ± 63.7 | - | - '
    '| never, never |' in text
  )
  assert '| moa |' not in text
  assert '- baseline/paper/seed_1: agent_0 (collective return 6.0)' in text
  assert '- moa/paper/seed_0: agent_0' not in text
  assert '- no influence was measured.' in text
  assert imageio.imread(sweep.directory / 'curves.png').any()


def test_a_game_without_apples(make_sweep, write_log, write_checkpoint):
  sweep = make_sweep(seeds=(0,), variants=('moa',))
  write_log(sweep.runs()[0], [(100, (-1, -2), 0)])
  write_checkpoint(sweep.runs()[0], 100)
  text = reproduction.write_report(sweep)
  assert '- moa/paper/seed_0: not known, no apples were logged' in text


def test_wide_bands_are_cut(sweep, write_checkpoint):
  write_checkpoint(sweep.runs()[2], 100)
  groups = results_lib.by_setting(results_lib.load(sweep))
  best = report_lib.best_settings(groups, 1)
  found = report_lib.mean_curves(results_lib.COLLECTIVE, best)
  # Seeds from -4 to 40, of which the baseline's bands leave hundreds.
  assert found.limits == (-4 - 44, 40 + 44)


def test_a_sweep_that_has_not_begun(make_sweep):
  text = reproduction.write_report(make_sweep())
  assert '0 of 4 runs' in text
  assert '- not finished: moa/paper/seed_1 (0 steps).' in text
  assert '- none.' not in text


def test_rows_without_a_fair_return(make_sweep, write_log, write_checkpoint):
  sweep = make_sweep(seeds=(0, 1), variants=('moa', 'baseline'))
  for run in sweep.runs():
    is_fair = (run.variant, run.seed) == ('baseline', 1)
    write_log(run, [(100, (1, 2), 1.5 if is_fair else np.nan)])
    write_checkpoint(run, 100)
  result = results_lib.load(sweep)[0]
  assert np.isnan(result.final('fair_return'))
  text = reproduction.write_report(sweep)
  rows = [
    line.split(' | ') for line in text.splitlines() if '| paper |' in line
  ]
  # Of the seeds that have one.
  fair = {row[0]: row[4] for row in rows if row[2] == '2' and row[-1] != '- |'}
  assert fair == {'| moa': '-', '| baseline': '1.5'}


def test_consistency_and_coordination(make_sweep, write_log, write_checkpoint):
  sweep = make_sweep(seeds=(0, 1), variants=('baseline', 'moa'))
  for run in sweep.runs():
    write_checkpoint(run, 100)
  baseline, _, first, second = sweep.runs()
  write_log(baseline, [(100, (1, 2), 1)], equality=0.5)
  spoken = {'speaker_consistency': 0.25, 'message_coordination': 0.75}
  write_log(first, [(100, (1, 2), 1)], **spoken, equality=0.5)
  spoken = {'speaker_consistency': 0.5, 'message_coordination': 0.25}
  write_log(second, [(100, (1, 2), 1)], **spoken, equality=1.0)
  path = first.directory.path / 'episode.json'
  scrambled = {
    'message_coordination': 0.625,
    'message_coordination_scrambled': 0.125,
    'speaker_consistency': 0.5,
    'speaker_consistency_scrambled': None,
  }
  path.write_text(json.dumps({'measures': scrambled}))
  text = reproduction.write_report(sweep)
  assert '| baseline | paper | 0.500 | - | - | - | - | - | - |' in text
  # Beside the control stands the episode that was scrambled.
  assert (
    '| moa | paper | 0.750 | - | 0.375 | 0.500 (0.625, scrambled 0.125) | - |'
    in text
  )


def test_a_report_is_written_again_from_its_results_alone(
  sweep, tmp_path, write_checkpoint
):
  write_checkpoint(sweep.runs()[2], 100)
  (sweep.runs()[2].directory.path / 'episode.json').write_text(
    json.dumps({'influenced': {'agent_0': 0.0, 'agent_1': 0.5}})
  )
  text = reproduction.write_report(sweep)
  (tmp_path / 'results.json').write_bytes(
    (sweep.directory / 'results.json').read_bytes()
  )
  assert report_lib.in_words(*results_file.read(tmp_path)) == text


def test_influence_below_a_hundredth_of_what_can_be_told_is_noise(
  make_sweep, write_log, write_checkpoint
):
  sweep = make_sweep(seeds=(0,))
  for run, nats in zip(sweep.runs(), (0.001, 0.2), strict=True):
    influence = {'agent_0': nats, 'agent_1': 3 * nats}
    write_log(run, [(100, (1, 2), 0)], influence=influence, moa_skill=0.25)
    write_checkpoint(run, 100)
  text = reproduction.write_report(sweep)
  # The mean over agents, of log 9, as Cleanup has nine actions: 2.197 nats.
  assert '| 0.002 | 0.09%, noise | 0.250 | 1.0, 2.0 |' in text
  assert '| 0.4 | 18.20% | 0.250 | 1.0, 2.0 |' in text


def test_the_paper_stands_beside_episodes_of_its_length_alone(
  make_sweep, write_log, write_checkpoint
):
  for length, is_there in ((1000, True), (None, True), (10, False)):
    sweep = make_sweep(seeds=(0,), variants=('moa',), episode_length=length)
    write_log(sweep.runs()[0], [(100, (1, 2), 0)])
    write_checkpoint(sweep.runs()[0], 100)
    text = reproduction.write_report(sweep)
    assert ('| first at 392 | paper |' in text) == is_there
    assert ('| never | 392 |' in text) == is_there


def test_small_games_have_no_column_of_the_paper(
  make_sweep, write_log, write_checkpoint
):
  sweep = make_sweep(
    experiment='practical',
    game='cleanup_small',
    variants=('moa',),
    seeds=(0,),
    num_environments=4,
  )
  (run,) = sweep.runs()
  write_log(run, [(50, (90, 120), 0), (100, (90, 100), 0)])
  write_checkpoint(run, 100)
  text = reproduction.write_report(sweep)
  assert '| paper |' not in text
  row = '| moa | share_0.3 | 1 | 190.0 | 0.0 | - | - | - | 0.00e6 |'
  assert row in text
  assert '--experiment=practical --game=cleanup_small --variant=moa' in text


_COMMITTED = sorted((_ROOT / 'results').glob('*/*/results.json'))


@pytest.mark.parametrize('path', _COMMITTED, ids=lambda p: p.parent.name)
def test_committed_reports_say_what_their_data_says(path):
  text = report_lib.in_words(*results_file.read(path.parent))
  assert (path.parent / 'report.md').read_text() == text
  assert (path.parent / 'curves.png').exists()
