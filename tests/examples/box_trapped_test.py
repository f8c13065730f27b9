"""Box Trapped, as a user starts it, for far too few steps to learn anything."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / 'examples' / 'box_trapped.py'


@pytest.mark.slow
def test_it_trains_both_counts_openings_and_says_so_on_a_page(tmp_path):
  command = [sys.executable, str(EXAMPLE), f'--run-dir={tmp_path}']
  done = subprocess.run(
    [*command, '--num-steps=4000', '--num-episodes=20'],
    check=True,
    timeout=300,
    stdout=subprocess.PIPE,
    text=True,
  )
  for variant in ('baseline', 'basic_influence'):
    run = tmp_path / variant / 'seed_0'
    found = json.loads((run / 'openings.json').read_text())
    assert found['variant'] == variant and found['seed'] == 0
    assert len(found['times']) == 20
    # Untrained, agent_0 opens in one of eight steps: in 98% of episodes.
    assert found['share'] > 0.8
    assert all(time is None or 0 <= time < 30 for time in found['times'])
  assert (tmp_path / 'openings.png').exists()
  (told,) = re.findall('agent_0 lets agent_1 out of its box in .*', done.stdout)
  assert re.search(r'of 20 episodes of \w+, against .* of 20 episodes', told)

  page = (run / 'report.html').read_text()
  assert f'<p class="headline">{told}</p>' in page
  # The film comes first, then what is on every run's page.
  titles = re.findall('<h2>(.*?)</h2>', page)
  assert titles[:2] == ['An episode', 'In short']
  assert f'Open {run / "report.html"}' in done.stdout

  drawn = subprocess.run(
    [*command, '--draw'], check=True, timeout=60, stdout=-1, text=True
  )
  assert told in drawn.stdout
