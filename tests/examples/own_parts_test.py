"""Examples of one part alone print what their pages say they do."""

import math
import pathlib
import re
import runpy

import pytest

from influence_acme import compat  # noqa: F401

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def printed(capsys):
  """Runs an example, and returns what it prints."""

  def run(name):
    path = ROOT / 'examples' / f'{name}.py'
    runpy.run_path(str(path))['main']([str(path)])
    return capsys.readouterr().out

  return run


def _numbers(text):
  return [float(x) for x in re.findall(r'-?\d+\.\d+', text)]


def test_own_arrays(printed):
  """The second copies with 0.8 and is uniform else; the third heeds nobody."""
  lines = printed('own_arrays').splitlines()
  found = dict(line.split(': ') for line in lines)
  policy = [0.5, 0.3, 0.2]

  def conditional(action):  # What the second does next.
    return [0.2 / 3 + 0.8 * (a == action) for a in range(3)]

  marginal = [
    sum(p * conditional(a)[b] for a, p in enumerate(policy)) for b in range(3)
  ]
  kl = []
  for a in range(3):
    pairs = zip(conditional(a), marginal, strict=True)
    kl.append(sum(c * math.log(c / m) for c, m in pairs))
  for action in range(3):
    second, third = _numbers(found[f'kl of action {action}'])
    assert second == pytest.approx(kl[action], rel=0.05)
    assert third < 1e-3
    assert 0 < _numbers(found[f'jsd of action {action}'])[0] < second
  second, third = _numbers(found['mutual information'])
  mean = sum(p * x for p, x in zip(policy, kl, strict=True))
  assert second == pytest.approx(mean, rel=0.05) and third < 1e-3
  # Gini by hand: sum of differences 2 (20 + 10 + 10) = 80 over 2 * 3 * 60.
  equality = _numbers(found['equality of returns of 30, 10 and 20'])
  assert equality == [pytest.approx(1 - 80 / 360, abs=1e-3)]


def test_own_environment(printed):
  prizes, told = printed('own_environment').splitlines()
  # All but the first, which is found by chance.
  assert prizes.split()[0] in ('99', '100')
  assert _numbers(told)[0] == pytest.approx(math.log(3), abs=0.05)


def test_own_adder(printed):
  _, *lines = printed('own_adder').splitlines()
  assert len(lines) == 20  # An episode.
  rows = [[float(x) for x in line.split()] for line in lines]
  for action, extrinsic, influence, reward in rows:
    assert action in (0, 1, 2) and extrinsic in (0, 1) and influence in (0, 1)
    assert reward == extrinsic + 0.5 * influence
  assert 5 < sum(row[2] for row in rows) < 20
  assert rows[-1][2] == 0  # Nobody acts after the last step.


def test_own_network(printed):
  *_, last = printed('own_network').splitlines()
  accuracy, on_copier, on_other = _numbers(last)
  assert accuracy == pytest.approx((1 + 1 / 4) / 2, abs=0.06)
  assert on_copier == pytest.approx(math.log(4), rel=0.05)
  assert on_other < 0.05
