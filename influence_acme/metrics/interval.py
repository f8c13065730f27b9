"""Estimates means with Student's t intervals.

Letter: S samples.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
  """A mean over samples, and how far it may be off.

  Attributes:
    mean: float64 [...].
    half_width: float64 [...], NaN of fewer than two samples.
  """

  mean: np.ndarray
  half_width: np.ndarray


def interval(values: np.ndarray, confidence: float) -> Interval:
  """Estimates a mean from a few samples.

  Args:
    values: float [S, ...].
    confidence: of the interval, in (0, 1).

  Returns:
    The interval, [...].
  """
  values = np.asarray(values, np.float64)
  count = len(values)
  mean = values.mean(axis=0)
  if count < 2:
    return Interval(mean, np.full_like(mean, np.nan))
  quantile = stats.t.ppf((1 + confidence) / 2, count - 1)
  error = values.std(axis=0, ddof=1) / np.sqrt(count)
  return Interval(mean, quantile * error)
