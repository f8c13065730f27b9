"""The commands, on tiny sizes: what do they write?"""

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import settings, table

ROOT = pathlib.Path(__file__).parents[2]


def _run(module, *flags):
  result = subprocess.run(
    [sys.executable, '-m', module, '--smoke', *flags],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert result.returncode == 0, result.stderr
  return result.stdout


@pytest.mark.slow
def test_the_benchmark(tmp_path):
  path = tmp_path / 'new' / 'speed.json'
  printed = _run('benchmarks', f'--output={path}')
  assert str(path) in printed
  report = json.loads(path.read_text())
  rows: Any = [table.Row(**row) for row in report['rows']]
  for row in rows:
    assert row.name in printed
    assert 0 < row.min <= row.median <= row.max, row
    assert row.repeats == settings.SMOKE.repeats
    assert 0 <= row.others_share <= 1
  names = [row.name for row in rows]
  assert names[:2] == ['GEMM, float32'] * 2
  assert names.count('environment, 2 at once') in (1, 2)  # By cores.
  for name in ('harvest, 2 at once', 'box_trapped, 2 at once'):
    row = rows[names.index(name)]
    assert (row.cores, row.unit) == (1, 'steps/s')
  for name in (
    'acting, step by step',
    'acting, vectorised',
    'learning',
    'training, single, vectorised',
    'training, single, step by step',
  ):
    row = rows[names.index(name)]
    assert row.unit == 'steps/s'
    assert row.gemm_fraction > 0
    assert row.peak_memory_bytes > 2**27
    assert (row.start_up_seconds is not None) == name.startswith('training')
  for name in ('compiling: acting, vectorised', 'compiling: learning'):
    assert rows[names.index(name)].unit == 's'
  assert report['machine']['cores'] == rows[-1].cores
  assert report['load']['was_idle'] == (not report['load']['doubts'])
  assert set(report['flops_per_step']) == {'acting', 'learning', 'both'}
  assert min(report['outlook'].values()) > 0


@pytest.mark.slow
def test_scaling(tmp_path):
  _run('benchmarks.scaling', f'--output={tmp_path}', '--sweep=actors')
  report = json.loads((tmp_path / 'scaling.json').read_text())
  (point,) = report['sweeps']['actors']
  assert point['kind'] == 'vectorised'
  assert point['steps_per_second']['median'] > 0
  assert point['peak_memory_bytes'] > 2**27
  assert (tmp_path / 'actors.png').read_bytes().startswith(b'\x89PNG')


@pytest.mark.slow
def test_variants(tmp_path):
  path = tmp_path / 'new' / 'variants.json'
  printed = _run('benchmarks.variants', f'--output={path}')
  report = json.loads(path.read_text())
  names = ['moa', 'basic_influence', 'communication']
  assert [row['name'] for row in report['rows']] == names
  for row in report['rows']:
    assert 0 < row['min'] <= row['median'] <= row['max']
    assert row['peak_memory_bytes'] > 2**27
  assert list(report['ratios']) == names[1:]
  for name, ratio in report['ratios'].items():
    assert f'{name}: {ratio["median"]:.2f} times the speed of moa' in printed
