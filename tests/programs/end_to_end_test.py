"""20,000 steps of Cleanup at the paper's size, checked row by row."""

import pathlib
import pickle
import sys
import types

import numpy as np
import own_session
import pytest
from oracles import row_oracle

from influence_acme.agents import influence
from influence_acme.runs import checkpoint, csv_log
from influence_acme.system import schedules

PROGRAM = pathlib.Path(__file__).with_name('archive_program.py')


def _load(path):
  with open(path, 'rb') as file:
    return pickle.load(file)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_thousand_steps_of_cleanup(tmp_path):
  run_dir, archive = tmp_path / 'run', tmp_path / 'archive'
  log = tmp_path / 'log.txt'
  code, left = own_session.run(
    [sys.executable, PROGRAM, run_dir, archive],
    log,
    timeout_s=1100,
  )
  assert code == 0, log.read_text()[-3000:]
  assert not left

  learned = csv_log.read_log(run_dir / 'logs' / 'learner.csv')
  saved = checkpoint.load(run_dir / 'checkpoint')
  assert saved.counts['environment_steps'] >= 20_000
  for agent in range(5):
    assert np.nanmean(learned[f'influence/agent_{agent}']) > 0

  versions = {
    int(path.stem.split('_')[1]): path for path in archive.glob('version_*')
  }
  first, last = (
    _load(versions[v])['params'] for v in (min(versions), max(versions))
  )
  assert max(versions) >= 20
  for agent in range(5):
    assert any(
      not np.array_equal(first[module][name][agent], last[module][name][agent])
      for module in first
      for name in first[module]
    )
  assert _check_rows(archive, versions) >= 100


def _check_rows(archive, versions):
  """Recomputes the rows that were kept; returns how many there were."""
  config = influence.InfluenceConfig(influence_curriculum_steps=5_000)
  checked = positive = 0
  for path in sorted(archive.glob('rows_*')):
    for fields in _load(path):
      row = types.SimpleNamespace(**fields)
      if row.is_padding:
        continue
      variables = _load(versions[int(row.extras['learner_steps'])])
      weight = schedules.influence_weight(
        config, variables['counts']['environment_steps']
      )
      expected = row_oracle.recompute(
        variables['params'], row, row.is_last_step
      )
      np.testing.assert_allclose(
        row.extras['logits'], expected.logits, atol=1e-4
      )
      np.testing.assert_allclose(
        row.extras['influence'], expected.influence, atol=1e-4
      )
      np.testing.assert_allclose(
        row.reward,
        row.extras['extrinsic'] + weight * expected.influence,
        atol=1e-4,
      )
      positive += bool(weight > 0 and expected.influence.max() > 0)
      checked += 1
  assert positive > checked / 4
  return checked
