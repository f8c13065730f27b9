"""Numbers over seeds: intervals, curves on common steps, correlations.

Intervals are Student's t over seeds, as wide as the paper's error bars (99.5%).
A bootstrap, as in rliable, was not taken: no resample of five seeds lies beyond
what these five got, so that its intervals are too narrow for so few: they hold
the mean of normal returns in 92% of cases, in place of 99.5%.

Letters: S seeds, G steps of a grid.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from influence_acme.metrics import interval as interval_lib
from influence_acme.runs import curves as curves_lib

CONFIDENCE = 0.995
# The last so many of a run's steps are its end; the paper's last 50 "agent
# steps" have no length in environment steps.
FINAL_FRACTION = 0.05
_GRID_POINTS = 200
_PERMUTATIONS = 9999


class Correlation(NamedTuple):
  """Holds the correlation of two quantities.

  Attributes:
    pearson: linear, NaN if one of them is constant, or of too few pairs.
    spearman: of ranks.
    p_value: of Pearson's, two-sided: twice the smaller of two shares, at most
      1: of pairings correlated at least as high as found, and at least as low.
    num_pairs: how many there were.
  """

  pearson: float
  spearman: float
  p_value: float
  num_pairs: int


def final_mean(series: curves_lib.Series) -> float:
  """Returns the mean of a run's last values.

  It is over the last `FINAL_FRACTION` of the environment steps that were
  logged; NaN if there is no value in them, whatever there was before.
  """
  last = last_values(series, FINAL_FRACTION)
  return float(last.mean()) if last.size else np.nan


def last_values(series: curves_lib.Series, fraction: float) -> np.ndarray:
  """Returns the values in the last part of a run's steps, float64 [R']."""
  end = series.steps[-1] if series.end is None else series.end
  return series.values[series.steps >= (1 - fraction) * end]


def mean_of(values: Sequence[float]) -> float:
  """Returns the mean of the values that are not NaN; NaN if none is."""
  defined = [value for value in values if not np.isnan(value)]
  return float(np.mean(defined)) if defined else np.nan


def interval_text(values: Sequence[float] | np.ndarray, digits: int = 1) -> str:
  """Returns the mean and the interval of the values that are defined."""
  defined = np.array([value for value in values if not np.isnan(value)])
  if not defined.size:
    return '-'
  mean, half_width = interval_lib.interval(defined, CONFIDENCE)
  width = '' if np.isnan(half_width) else f' ± {half_width:.{digits}f}'
  return f'{mean:.{digits}f}{width}'


def thin(
  series: curves_lib.Series, stop: float, count: int
) -> curves_lib.Series:
  """Averages a run's values over so many equal parts of it.

  Args:
    series: of the run.
    stop: environment steps of the whole run; what lies beyond belongs to the
      last part.
    count: of the parts.

  Returns:
    A mean for each part with a value, at the step in its middle, rounded to
    four digits; `end` is where the part ends that the logs have reached.
  """
  ends = np.linspace(stop / count, stop, count)

  def part_of(steps: Any) -> Any:
    return np.minimum(np.searchsorted(ends, steps), count - 1)

  index = part_of(series.steps)
  number = np.bincount(index, minlength=count)
  total = np.bincount(index, series.values, count)
  found = np.flatnonzero(number)
  means = [float(f'{x:.4g}') for x in total[found] / number[found]]
  end = series.steps[-1] if series.end is None else series.end
  return curves_lib.Series(
    ends[found] - stop / count / 2, np.array(means), float(ends[part_of(end)])
  )


def on_grid(
  curves: Sequence[curves_lib.Series],
) -> tuple[np.ndarray, np.ndarray]:
  """Smooths curves, and reads them off at common steps.

  Args:
    curves: S, each of at least one value.

  Returns:
    Steps, float64 [G], that all curves have reached, and values [S, G]; G is 0
    if there are none, as nothing is extrapolated.
  """
  start = max(curve.steps[0] for curve in curves)
  stop = min(curve.steps[-1] for curve in curves)
  grid = np.linspace(start, stop, _GRID_POINTS if start <= stop else 0)
  values = [
    np.interp(
      grid,
      curve.steps,
      curves_lib.smooth(
        curve.values, max(1, int(len(curve.values) * FINAL_FRACTION)) | 1
      ),
    )
    for curve in curves
  ]
  return grid, np.stack(values)


def correlate(x: Sequence[float], y: Sequence[float]) -> Correlation:
  """Correlates pairs of values.

  The p-value is by permutations: all of them of up to seven pairs, 9,999 drawn
  ones of more. It needs no normal distribution, but pairs that are independent.
  """
  count = len(x)
  if count < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
    return Correlation(np.nan, np.nan, np.nan, count)
  deviation = np.asarray(x, np.float64) - np.mean(x)
  deviation /= np.linalg.norm(deviation)

  def pearson(y: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.sum(deviation * y, axis=axis)

  scaled = np.asarray(y, np.float64) - np.mean(y)
  found = stats.permutation_test(
    (scaled / np.linalg.norm(scaled),),
    pearson,
    permutation_type='pairings',
    vectorized=True,
    n_resamples=_PERMUTATIONS,
    random_state=np.random.default_rng(0),
  )
  return Correlation(
    float(found.statistic),
    float(stats.spearmanr(x, y).statistic),
    float(found.pvalue),
    count,
  )
