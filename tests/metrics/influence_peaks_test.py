"""Tests of the peaks of influence, by hand."""

import numpy as np
import pytest

from influence_acme.metrics import influence_peaks


def influence_of(*strengths):
  """Agent 0 influences agent 1 so much, in each step."""
  influence = np.full((len(strengths), 2, 2), np.nan)
  influence[:, 0, 1], influence[:, 1, 0] = strengths, 0.0
  return influence


def steps(influence, count=10, apart=1):
  return [peak.step for peak in influence_peaks.find(influence, count, apart)]


@pytest.mark.parametrize(
  ('strengths', 'expected'),
  [
    ((0, 1, 0, 2, 0), [1, 3]),
    ((3, 1, 0, 0, 2), [0, 4]),  # Both ends.
    ((1, 2, 3, 2, 1), [2]),  # Slopes have none.
    ((0, 2, 2, 2, 0), [1]),  # The first step of a plateau.
    ((1, 1, 1, 1, 1), [0]),
    ((0, 0, 0), []),
    ((), []),
  ],
)
def test_local_maxima(strengths, expected):
  assert steps(influence_of(*strengths)) == expected


def test_the_strongest_are_kept_in_the_order_of_time():
  influence = influence_of(0, 1, 0, 4, 0, 2, 0, 3, 0)
  assert steps(influence, count=3) == [3, 5, 7]
  assert steps(influence, count=1) == [3]
  assert steps(influence, count=0) == []


def test_of_two_that_are_close_the_stronger_one_is_kept():
  influence = influence_of(0, 3, 0, 4, 0, 3, 0, 0, 1)
  assert steps(influence, apart=3) == [3, 8]
  assert steps(influence, apart=2) == [1, 3, 5, 8]
  # Of equals the first one.
  assert steps(influence_of(0, 2, 0, 2, 0), apart=3) == [1]


def test_who_influences_whom():
  influence = np.zeros((3, 3, 3))
  influence[:, range(3), range(3)] = np.nan
  influence[1, 2, 0], influence[1, 0, 1] = 0.7, 0.6
  assert influence_peaks.find(influence, 5, 1) == [
    influence_peaks.Peak(1, 2, 0, 0.7)
  ]


def test_one_agent_alone():
  assert influence_peaks.find(np.full((4, 1, 1), np.nan), 5, 1) == []


def test_what_is_noise_is_no_peak():
  influence = influence_of(0, 0.01, 0, 0.02, 0)
  found = influence_peaks.find(influence, 5, 1, at_least=0.02)
  assert [peak.step for peak in found] == [3]
