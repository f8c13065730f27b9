"""Comparisons of variants over seeds, and the pages that are committed."""

import json
import pathlib
import shlex
import sys

import pytest

from influence_acme import train
from influence_acme.system import variants

_ROOT = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(_ROOT / 'examples'))

import ladder  # noqa: E402
import ladder_page  # noqa: E402

_PAGES = sorted((_ROOT / 'results' / 'ladder').glob('*.json'))


def test_the_command_of_a_run_asks_for_that_run():
  comparison = ladder.Ladder(seeds=(3, 4), share=0.25)
  runs = comparison.runs()
  assert len(runs) == 2 * len(variants.VARIANTS)
  for config in runs:
    python, dash_m, module, *options = shlex.split(ladder.command(config))
    assert (python, dash_m, module) == ('python', '-m', 'influence_acme.train')
    assert train.parse(options) == config
  shares = {
    x.agent.variant: x.agent.influence_weight
    for x in runs
    if x.agent.normalise_influence
  }
  assert shares == dict.fromkeys(variants.names(rewarded=True), 0.25)


def test_shards_part_the_runs(capsys):
  options = ['--variants', 'moa', 'baseline', '--seeds', '0', '1', '--commands']
  printed = []
  for shard in ('0/1', '0/3', '1/3', '2/3'):
    assert ladder.main([*options, f'--shard={shard}']) == 0
    printed.append(capsys.readouterr().out.splitlines())
  whole, *parts = printed
  assert sorted(sum(parts, [])) == sorted(whole)
  assert len(set(whole)) == 4


@pytest.mark.parametrize(
  'options, message',
  [
    ({'rung': 'chess'}, 'rung is .chess.'),
    ({'variants': ('moa', 'noa')}, 'variant is .noa.'),
    ({'shard': '3/3'}, 'shard is .3/3.'),
    ({'shard': '1'}, 'shard is .1.'),
  ],
)
def test_options_out_of_range_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    ladder.Ladder(**options)


def _run(seed, apples):
  columns = dict.fromkeys(ladder.COLUMNS, [0.0] * 10)
  steps = [1e5 * (i + 1) for i in range(10)]
  return {
    'variant': 'moa',
    'seed': seed,
    'environment_steps': 1_000_000,
    'wall_seconds': 120,
    'command': 'python',
    'commit': 'abc',
    'curves': {**columns, 'apples': apples, 'environment_steps': steps},
  }


def test_a_page_has_means_intervals_and_first_steps():
  # The last tenth of ten points is the last one: 210 and 190.
  runs = [_run(0, [0.0] * 8 + [205.0, 210.0]), _run(1, [0.0] * 9 + [190.0])]
  results = {'rung': 'r', 'num_steps': 10**6, 'runs': runs}
  text = ladder_page.page(results)
  # Student's t of one degree of freedom at 0.9975: 127.32; times an error of
  # 14.142 / sqrt(2) = 10.
  assert '| moa | 0, 1 | 0 ± 0 | 200 ± 1.27e+03 |' in text
  assert '| 0.90e6, never |' in text
  assert text.count('| `python` | abc | 1,000,000 | 2 min |') == 2


@pytest.mark.parametrize('path', _PAGES, ids=lambda path: path.stem)
def test_committed_pages_say_what_their_data_says(path):
  results = json.loads(path.read_text(encoding='utf-8'))
  text = path.with_suffix('.md').read_text(encoding='utf-8')
  assert text.startswith(ladder_page.page(results))
  assert path.with_suffix('.png').exists()


@pytest.mark.slow
def test_a_comparison_runs_what_is_missing_and_reports_it(tmp_path, capsys):
  options = [
    '--variants',
    'baseline',
    '--seeds',
    '0',
    '--num-steps=5000',
    f'--directory={tmp_path / "runs"}',
    f'--output={tmp_path / "out"}',
  ]
  assert ladder.main([*options, '--report-only']) == 0
  assert 'not finished: ' in capsys.readouterr().out
  assert not (tmp_path / 'out').exists()
  assert ladder.main(options) == 0
  assert 'not finished' not in capsys.readouterr().out
  results = json.loads((tmp_path / 'out' / 'cleanup_small.json').read_text())
  assert [run['variant'] for run in results['runs']] == ['baseline']
  assert results['runs'][0]['environment_steps'] >= 5000
  assert (tmp_path / 'out' / 'cleanup_small.png').exists()
  checkpoint = tmp_path / 'runs/cleanup_small/baseline/seed_0/checkpoint'
  before = checkpoint.stat().st_mtime_ns
  assert ladder.main(options) == 0  # There is nothing left to run.
  assert checkpoint.stat().st_mtime_ns == before
