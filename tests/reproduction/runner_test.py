"""Tests of what is run, gone on with, and skipped; nothing is trained."""

import json
import types

import numpy as np
import pytest

from influence_acme import reproduction
from influence_acme.reproduction import runner
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import episode_record

NAN = np.nan
# Agent 0 influences agent 1 at step 0 of 2.
INFLUENCE = np.array([[[NAN, 3.0], [0, NAN]], [[NAN, 0], [0, NAN]]])


@pytest.fixture(name='launched', autouse=True)
def _launched(monkeypatch):
  """Lets a run end at once, or as told; returns what was run."""
  launched: list[tuple[str, int, str]] = []

  def evaluate(path, num_episodes):
    assert num_episodes == 1
    record = episode_record.EpisodeRecord(
      ('agent_0', 'agent_1'),
      np.zeros((2, 2), np.float32),
      np.zeros((2, 2), np.int32),
      INFLUENCE if 'moa' in str(path) else None,
      frames=[],
      measures={'gini': np.nan, 'efficiency': 0.5},
    )
    return types.SimpleNamespace(records=(record,))

  monkeypatch.setattr(runner.playing, 'load', lambda path: path)
  monkeypatch.setattr(runner.playing, 'evaluate', evaluate)
  monkeypatch.setattr(runner.evaluation_results, 'write', lambda *_: None)
  return launched


def _run(sweep, launched, write_checkpoint, codes=(), steps=None, shard='0/1'):
  """Runs a sweep; runs end with these codes, then with 0."""
  codes = list(codes)

  def train(given, run, *, resume):
    assert given is sweep
    config = sweep.make_config(run, resume=resume)
    run.directory.prepare(resume=resume)
    run.directory.write_config(vars(config))
    launched.append((run.variant, run.seed, 'resumed' if resume else 'new'))
    code = codes.pop(0) if codes else 0
    reached = sweep.num_steps if code == 0 else steps
    if reached is not None:
      write_checkpoint(run, reached)
    return code

  return reproduction.run(sweep, train, shard)


def test_everything_is_run_once(make_sweep, launched, write_checkpoint):
  sweep = make_sweep()
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == [
    ('baseline', 0, 'new'),
    ('baseline', 1, 'new'),
    ('moa', 0, 'new'),
    ('moa', 1, 'new'),
  ]
  for run in sweep.runs():
    assert run.directory.curves_path.exists()
  launched.clear()
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == []


def test_an_interrupted_sweep_goes_on(
  make_sweep, launched, write_checkpoint, capsys
):
  sweep = make_sweep()
  codes = (0, 130)
  assert _run(sweep, launched, write_checkpoint, codes, steps=40) == 130
  told = 'The same command goes on with the sweep.\n'
  assert capsys.readouterr().err == told
  launched.clear()
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == [
    ('baseline', 1, 'resumed'),
    ('moa', 0, 'new'),
    ('moa', 1, 'new'),
  ]


def test_a_failed_run_does_not_stop_the_others(
  make_sweep, launched, write_checkpoint
):
  sweep = make_sweep()
  assert _run(sweep, launched, write_checkpoint, (1,), steps=40) == 1
  assert len(launched) == 4
  launched.clear()
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == [('baseline', 0, 'resumed')]


def test_a_worker_leaves_out_what_another_one_has(
  make_sweep, launched, write_checkpoint, capsys
):
  sweep = make_sweep()
  with runner.claim(sweep.runs()[2].directory):
    assert _run(sweep, launched, write_checkpoint) == 0
  assert [x[:2] for x in launched] == [
    ('baseline', 0),
    ('baseline', 1),
    ('moa', 1),
  ]
  assert 'moa/paper/seed_0 is left out' in capsys.readouterr().err
  assert len(sweep.runs()) == len(sweep_lib.find(sweep.directory).runs())


def test_what_a_worker_of_another_host_left_is_a_failure(
  make_sweep, launched, write_checkpoint, capsys
):
  sweep = make_sweep(variants=('moa',))
  claim = sweep.directory / 'moa' / 'paper' / 'seed_1.worker'
  claim.parent.mkdir(parents=True)
  claim.write_text(json.dumps({'pid': 1, 'host': 'elsewhere'}))
  assert _run(sweep, launched, write_checkpoint) == 1
  assert launched == [('moa', 0, 'new')]
  assert f'if that has ended, remove {claim}' in capsys.readouterr().err


def test_a_shard_is_run_alone(make_sweep, launched, write_checkpoint):
  sweep = make_sweep()
  assert _run(sweep, launched, write_checkpoint, shard='1/3') == 0
  assert launched == [('baseline', 1, 'new')]


def test_a_run_without_a_checkpoint_starts_anew(
  make_sweep, launched, write_checkpoint, capsys
):
  sweep = make_sweep(variants=('moa',), seeds=(0,))
  assert _run(sweep, launched, write_checkpoint, (143,)) == 143
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == [('moa', 0, 'new'), ('moa', 0, 'new')]
  assert 'starts anew' in capsys.readouterr().err
  (aside,) = (sweep.directory / 'moa' / 'paper').glob('seed_0.lost_*')
  assert (aside / 'config.json').exists()


def test_a_longer_sweep_goes_on_with_all(
  make_sweep, launched, write_checkpoint
):
  _run(make_sweep(variants=('moa',)), launched, write_checkpoint)
  launched.clear()
  sweep = make_sweep(variants=('moa',), num_steps=200)
  assert _run(sweep, launched, write_checkpoint) == 0
  assert launched == [('moa', 0, 'resumed'), ('moa', 1, 'resumed')]


def test_what_an_episode_showed(make_sweep, launched, write_checkpoint):
  sweep = make_sweep(seeds=(0,))
  _run(sweep, launched, write_checkpoint)
  baseline, moa = (
    json.loads((run.directory.path / 'episode.json').read_text())
    for run in sweep.runs()
  )
  assert baseline == {
    'influenced': None,
    'influential_share': None,
    'measures': {'gini': None, 'efficiency': 0.5},
  }
  # 3 nats in one of two steps; that is one of four steps of two agents.
  assert moa == {
    'influenced': {'agent_0': 0.0, 'agent_1': 1.5},
    'influential_share': 0.25,
    'measures': {'gini': None, 'efficiency': 0.5},
  }
