"""Step by step against vectorised: what is compared, and that it runs."""

import json

import numpy as np
import pytest
from scipy import stats

from benchmarks import same_learning


def test_the_final_return_is_that_of_the_last_tenth():
  steps = np.array([50, 90, 91, 100])  # 90 is not in it yet.
  returns = np.array([1.0, 5.0, 10.0, 20.0])
  assert same_learning.final_return(steps, returns, 100) == 15.0
  with pytest.raises(ValueError, match='last tenth of 1000 steps'):
    same_learning.final_return(steps, returns, 1000)


@pytest.mark.parametrize(
  'second, optimum, same',
  [
    ([19.0, 18.0, 20.0], 20.0, True),  # 0 apart.
    ([17.9, 16.9, 18.9], 20.0, False),  # 1.1 of 20 is more than 5%.
    ([17.9, 16.9, 18.9], 40.0, True),
    ([10.0, 10.0, 10.0], 1000.0, False),  # p is 0.0041.
    ([19.0, 19.0, 19.0], 20.0, True),
  ],
)
def test_the_criterion(second, optimum, same):
  first = [18.0, 19.0, 20.0]
  found = same_learning.compare({'a': first, 'b': second}, optimum)
  assert found['same'] == same
  assert found['mean'] == {'a': 19.0, 'b': pytest.approx(np.mean(second))}
  assert found['std']['a'] == pytest.approx(1.0)
  difference = abs(19.0 - np.mean(second)) / optimum
  assert found['difference'] == pytest.approx(difference)


def test_p_is_that_of_welch():
  # Welch: t = (19 - 17) / sqrt(1 / 3 + 4 / 3), with (5 / 3)**2 / (17 / 18)
  # degrees of freedom.
  found = same_learning.compare({'a': [18, 19, 20], 'b': [15, 17, 19]}, 20.0)
  t, freedom = 2 / np.sqrt(5 / 3), (5 / 3) ** 2 / (17 / 18)
  assert found['p'] == pytest.approx(2 * stats.t.sf(t, freedom))
  assert same_learning.compare({'a': [1, 1], 'b': [1, 1]}, 20.0)['p'] is None


@pytest.mark.slow
def test_both_kinds_are_trained_alike_and_compared(tmp_path):
  num_steps = 330  # The second episodes of eight end at 320, in the last tenth.
  runs = [
    same_learning.train(kind, seed, num_steps, tmp_path / f'{kind}{seed}')
    for seed in (0, 1)
    for kind in same_learning.KINDS
  ]
  for run in runs:
    assert num_steps <= run.environment_steps < num_steps + 160
    # A sequence has 10 rows; 21 rows are an episode of 20 steps.
    rows = run.environment_steps * 21 / 20
    assert run.learner_steps == pytest.approx(rows / 10 / 8, abs=1)
    assert 0 <= run.final_return <= same_learning.OPTIMUM
    # Of every episode, or of every eight that ended together.
    num = run.environment_steps // 20 // max(same_learning.KINDS[run.kind], 1)
    assert len(run.curve['returns']) == num
  found = same_learning.write(tmp_path, num_steps, runs)
  written = json.loads((tmp_path / 'same_learning.json').read_text())
  assert written['comparison'] == found
  assert [run['kind'] for run in written['runs']] == 2 * list(
    same_learning.KINDS
  )
  picture = (tmp_path / 'same_learning.png').read_bytes()
  assert picture.startswith(b'\x89PNG')
