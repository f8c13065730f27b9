"""Reports a sweep: curves over seeds, and tables beside the paper's.

curves.png       collective return, and R (1 - G), of each variant
robustness.png   the same of the five best settings of a search
report.md        final returns beside the paper's, lazy agents, correlations

All are of finished runs; report.md names those that are not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib
from matplotlib import ticker

from influence_acme import palette
from influence_acme.metrics import interval as interval_lib
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import statistics, tables
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import curves as curves_lib

NUM_BEST = 5
PANELS = {
  results_lib.COLLECTIVE: 'Collective return',
  results_lib.FAIR: 'Collective return x equality, R (1 - G)',
}
FINISHED_NOTE = (
  "Tables, rankings and curves are of finished runs alone; a variant's curves "
  'end where the shortest of these does.'
)


class MeanCurves(NamedTuple):
  """Holds the mean curves of variants.

  Attributes:
    lines: variant and its number of runs -> steps, mean and half the width of
      its interval, float [G] each.
    limits: of the vertical axis. Few seeds have intervals so wide that curves
      would look flat: then they are cut.
  """

  lines: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
  limits: tuple[float, float]


def write_report(sweep: sweep_lib.Sweep) -> str:
  """Writes the report of a sweep, finished or not.

  Args:
    sweep: whose directory has the runs, and gets the report.

  Returns:
    The text of report.md.
  """
  results = results_lib.load(sweep)
  groups = results_lib.by_setting(results)
  sweep.directory.mkdir(parents=True, exist_ok=True)
  _draw(sweep, best_settings(groups, 1), 'curves.png')
  if sweep.search:
    _draw(sweep, best_settings(groups, NUM_BEST), 'robustness.png')
  state, under_way = progress(sweep, results)
  lines = [f'# {sweep.experiment}, {sweep.game}', '', state]
  lines += [*_bullets(under_way), '', FINISHED_NOTE]
  for part in tables.make(sweep, results):
    lines += ['', part.note, '']
    if part.header:
      ruler = ['---'] * len(part.header)
      rows = [part.header, ruler, *part.rows]
      lines += [f'| {" | ".join(cells)} |' for cells in rows]
    else:
      lines += _bullets(part.rows)
  text = '\n'.join(lines)
  (sweep.directory / 'report.md').write_text(text + '\n', encoding='utf-8')
  return text


def best_settings(
  groups: results_lib.Groups, count: int
) -> dict[str, list[results_lib.Result]]:
  """Returns variant -> all results of its best settings.

  Args:
    groups: of `results.by_setting`.
    count: of settings, at most.
  """
  return {
    variant: [r for s in list(settings.values())[:count] for r in s]
    for variant, settings in groups.items()
  }


def mean_curves(
  column: str, groups: dict[str, list[results_lib.Result]]
) -> MeanCurves:
  """Computes the mean curve of each variant, and its interval.

  Args:
    column: of `PANELS`.
    groups: variant -> its results.
  """
  lines = {}
  values: list[np.ndarray] = []
  for variant, group in groups.items():
    found = [r.series[column] for r in group if column in r.series]
    if found:
      steps, each = statistics.on_grid(found)
      mean, half_width = interval_lib.interval(each, statistics.CONFIDENCE)
      lines[f'{variant} ({len(found)})'] = steps, mean, half_width
      values.append(each.ravel())
  if not lines:
    return MeanCurves({}, (0.0, 1.0))
  every = np.concatenate(values)
  span = max(np.ptp(every), 1.0)
  ends = np.concatenate(
    [
      mean + sign * np.nan_to_num(half_width)
      for _, mean, half_width in lines.values()
      for sign in (-1, 1)
    ]
  )
  bottom = min(max(ends.min(), every.min() - span), 0.0)
  top = max(min(ends.max(), every.max() + span), 0.0)
  return MeanCurves(lines, (float(bottom), float(max(top, bottom + 1))))


def progress(
  sweep: sweep_lib.Sweep, results: list[results_lib.Result]
) -> tuple[str, list[str]]:
  """Returns how far a sweep is, and a line for each run that is under way."""
  finished = sum(result.is_finished for result in results)
  text = (
    f'{finished} of {len(sweep.runs())} runs have finished '
    f'{sweep.num_steps:,} environment steps.'
  )
  return text, [
    f'not finished: {r.run.name} ({r.steps:,} steps).'
    for r in results
    if not r.is_finished
  ]


def _bullets(lines: Sequence[str]) -> list[str]:
  return [f'- {line}' for line in lines]


def _draw(
  sweep: sweep_lib.Sweep,
  groups: dict[str, list[results_lib.Result]],
  name: str,
) -> None:
  """Draws mean curves, with bands of their intervals."""
  figure = figure_lib.Figure(figsize=(11, 4.2), dpi=120, layout='constrained')
  for axes, column in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
    _draw_panel(axes, column, groups)
  figure.savefig(sweep.directory / name)


def _draw_panel(
  axes: axes_lib.Axes,
  column: str,
  groups: dict[str, list[results_lib.Result]],
) -> None:
  """Draws the mean curve of each variant, with a band of its interval."""
  found = mean_curves(column, groups)
  curves_lib.style_axes(axes, PANELS[column])
  axes.set_xlabel('environment steps', color=curves_lib.FAINT)
  axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  for (label, (steps, mean, half_width)), colour in zip(
    found.lines.items(), palette.AGENTS, strict=False
  ):
    axes.plot(steps, mean, color=colour, lw=1.6, label=label)
    ends = mean - half_width, mean + half_width
    axes.fill_between(steps, *ends, color=colour, alpha=0.18, lw=0)
  if found.lines:
    axes.set_ylim(*found.limits)
    axes.legend(frameon=False, fontsize='small')
