"""Tests of the page of a sweep, of runs that are written by hand."""

import json
import os

import numpy as np
import pytest

from influence_acme import reports
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import checkpoint, episode_record, loggers

STEPS = loggers.STEPS_KEY


@pytest.fixture(name='make_sweep')
def _make_sweep(tmp_path, make_run):
  """Makes a sweep, and starts its runs; 4000 steps of two agents each."""

  def make_sweep(**overrides):
    sweep = sweep_lib.Sweep(
      **{
        'path': tmp_path / 'sweep',
        'experiment': 'moa',
        'game': 'cleanup',
        'variants': ('baseline', 'moa'),
        'seeds': (0, 3),
        'num_steps': 4000,
        'num_environments': 2,
        'num_agents': 2,
        'episode_length': 10,
        **overrides,
      }
    )
    sweep.prepare()
    for run in sweep.runs():
      make_run(
        run.directory.path,
        agent={'variant': run.variant},
        num_steps=sweep.num_steps,
        seed=run.seed,
      )
    return sweep

  return make_sweep


def finish(run):
  state = checkpoint.Checkpoint({}, {STEPS: 4000}, np.zeros(1))
  checkpoint.save(run.directory.checkpoint_path, state)


def test_a_sweep_is_found_as_it_was(make_sweep):
  sweep = make_sweep()
  os.rename(
    sweep.runs()[0].directory.path,
    sweep.directory / 'baseline' / 'paper' / 'seed_0.lost_123',
  )
  assert sweep_lib.find(sweep.path) == sweep


def test_a_search_is_found_as_it_was(make_sweep):
  sweep = make_sweep(search=3, search_seed=5, variants=('moa',))
  assert sweep_lib.find(sweep.path) == sweep


def test_a_sweep_without_runs(make_sweep, tmp_path):
  with pytest.raises(FileNotFoundError, match='--sweep_dir'):
    sweep_lib.find(tmp_path)
  (tmp_path / 'sweep.json').write_text(json.dumps({}))
  with pytest.raises(FileNotFoundError, match='run that has begun'):
    reports.write(tmp_path)


def test_a_page_of_a_sweep(make_sweep, write_logs, make_episode, read_page):
  sweep = make_sweep()
  baseline_0, _, moa_0, moa_3 = (run.directory for run in sweep.runs())
  write_logs(baseline_0, influence=False)
  write_logs(moa_0)
  episode_record.write(moa_0, make_episode())
  shown = {'influenced': None, 'influential_share': 0.25}
  (moa_0.path / sweep_lib.EPISODE_NAME).write_text(json.dumps(shown))
  finish(sweep.runs()[0])
  finish(sweep.runs()[2])
  assert reports.write(sweep.path) == sweep.directory / 'report.html'
  page = read_page(sweep.directory / 'report.html')
  text = page.text.replace('\N{NO-BREAK SPACE}', ' ')
  assert 'Experiment moa in cleanup' in text
  assert '2 of 4 runs have finished 4,000 environment steps.' in text
  assert len(page.charts) == 2
  # Of 39 i and 40 i, in the last 5%, each of two agents: 79.
  assert 'baseline paper 1 79.0 79.0' in text
  assert 'moa paper 1 79.0 79.0' in text
  assert 'runs count above): none.' in text
  assert 'no influence was measured.' in text
  assert 'moa/paper/seed_0 4,000 finished 79.0 25.0%' in text
  assert 'baseline/paper/seed_0 4,000 finished 79.0 not measured' in text
  assert 'moa/paper/seed_3 0 under way not logged not measured' in text
  assert 'of ↓ on → agent 0 agent 1' in text
  links = [url for url in page.urls if not url.startswith('#')]
  assert 'moa/paper/seed_3/report.html' in links and len(links) == 4
  for url in links:
    read_page(sweep.directory / url)
  assert moa_3.report_path.exists()


def test_a_page_of_a_search(make_sweep, write_logs, read_page):
  sweep = make_sweep(search=2, variants=('moa',))
  for run in sweep.runs():
    write_logs(run.directory)
    finish(run)
  reports.write(sweep.path)
  page = read_page(sweep.directory / 'report.html')
  assert 'The best 5 settings of each variant' in page.text
  assert len(page.charts) == 4
  assert 'moa setting_000 2 79.0 ± 0.0' in page.text


def test_a_sweep_that_has_logged_nothing(make_sweep, read_page):
  sweep = make_sweep()
  reports.write(sweep.path)
  page = read_page(sweep.directory / 'report.html')
  assert 'No run is finished yet.' in page.text
  assert 'No run has measured influence' in page.text
