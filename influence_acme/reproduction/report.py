"""Reports a sweep: curves over seeds, and tables beside the paper's.

curves.png       collective return, and R (1 - G), of each variant
robustness.png   the same of the five best settings of a search
report.md        returns, against controls; lazy agents; correlations
results.json     all that the others are made of

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
from influence_acme.reproduction import results_file, statistics, tables
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


class MeanCurve(NamedTuple):
  """Holds the mean curve of a variant.

  Attributes:
    steps: float [G].
    mean: float [G].
    half_width: float [G], of its interval.
    runs: float [S, G], which it is the mean of.
  """

  steps: np.ndarray
  mean: np.ndarray
  half_width: np.ndarray
  runs: np.ndarray


class MeanCurves(NamedTuple):
  """Holds the mean curves of variants.

  Attributes:
    lines: variant and its number of runs -> its curve.
    limits: of the vertical axis. Few seeds have intervals so wide that curves
      would look flat: then they are cut.
  """

  lines: dict[str, MeanCurve]
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
  results_file.save(sweep, results)
  _draw(sweep, best_settings(groups, 1), 'curves.png')
  if sweep.search:
    _draw(sweep, best_settings(groups, NUM_BEST), 'robustness.png')
  text = in_words(sweep, results)
  (sweep.directory / 'report.md').write_text(text, encoding='utf-8')
  return text


def in_words(sweep: sweep_lib.Sweep, results: list[results_lib.Result]) -> str:
  """Returns the text of report.md, of results from logs or results.json."""
  state, under_way = progress(sweep, results)
  lines = [f'# {sweep.experiment}, {sweep.game}', '', state]
  lines += [
    *_bullets(under_way),
    '',
    FINISHED_NOTE,
    '',
    '![Curves](curves.png)',
  ]
  for part in tables.make(sweep, results):
    lines += ['', f'## {part.title}', '', part.note, '']
    if part.header:
      ruler = ['---'] * len(part.header)
      rows = [part.header, ruler, *part.rows]
      lines += [f'| {" | ".join(cells)} |' for cells in rows]
    else:
      lines += _bullets(part.rows)
  return '\n'.join(lines) + '\n'


def best_settings(
  groups: results_lib.Groups, count: int
) -> dict[str, list[results_lib.Result]]:
  """Returns variant -> all results of its best settings, at most so many."""
  return {
    variant: [r for s in list(settings.values())[:count] for r in s]
    for variant, settings in groups.items()
  }


def mean_curves(
  column: str, groups: dict[str, list[results_lib.Result]]
) -> MeanCurves:
  """Computes the mean curve, and its interval, of each variant's results."""
  lines = {}
  values: list[np.ndarray] = []
  for variant, group in groups.items():
    found = [r.series[column] for r in group if column in r.series]
    steps, each = statistics.on_grid(found) if found else (np.array(()),) * 2
    if steps.size:  # There are steps that all seeds have reached.
      lines[f'{variant} ({len(found)})'] = MeanCurve(
        steps, *interval_lib.interval(each, statistics.CONFIDENCE), each
      )
      values.append(each.ravel())
  if not lines:
    return MeanCurves({}, (0.0, 1.0))
  every = np.concatenate(values)
  span = max(np.ptp(every), 1.0)
  ends = np.concatenate(
    [
      line.mean + sign * np.nan_to_num(line.half_width)
      for line in lines.values()
      for sign in (-1, 1)
    ]
  )
  bottom = min(max(ends.min(), every.min() - span), 0.0)
  top = max(min(ends.max(), every.max() + span), 0.0)
  return MeanCurves(lines, (float(bottom), float(max(top, bottom + 1))))


def progress(
  sweep: sweep_lib.Sweep, results: list[results_lib.Result]
) -> tuple[str, list[str]]:
  """Returns how far a sweep is, and a line for each run that is not done."""
  finished = sum(result.is_finished for result in results)
  text = (
    f'{finished} of {len(sweep.runs())} runs have finished '
    f'{sweep.num_steps:,} environment steps.'
  )
  steps = {r.run.name: r.steps for r in results}
  done = {r.run.name for r in results if r.is_finished}
  return text, [
    f'not finished: {run.name} ({steps.get(run.name, 0):,} steps).'
    for run in sweep.runs()
    if run.name not in done
  ]


def _bullets(lines: Sequence[str]) -> list[str]:
  return [f'- {line}' for line in lines]


def _draw(
  sweep: sweep_lib.Sweep, groups: dict[str, list[results_lib.Result]], name: str
) -> None:
  """Draws mean curves, with bands of their intervals."""
  figure = figure_lib.Figure(figsize=(11, 4.2), dpi=120, layout='constrained')
  for axes, column in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
    _draw_panel(axes, column, groups)
  figure.savefig(sweep.directory / name)


def _draw_panel(
  axes: axes_lib.Axes, column: str, groups: dict[str, list[results_lib.Result]]
) -> None:
  """Draws each variant: its mean, with a band of its interval, and its runs."""
  found = mean_curves(column, groups)
  curves_lib.style_axes(axes, PANELS[column])
  axes.set_xlabel('environment steps', color=curves_lib.FAINT)
  axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  for (label, line), colour in zip(
    found.lines.items(), palette.AGENTS, strict=False
  ):
    axes.plot(line.steps, line.runs.T, color=colour, lw=0.5, alpha=0.6)
    axes.plot(line.steps, line.mean, color=colour, lw=1.8, label=label)
    ends = line.mean - line.half_width, line.mean + line.half_width
    axes.fill_between(line.steps, *ends, color=colour, alpha=0.18, lw=0)
  if found.lines:
    axes.set_ylim(*found.limits)
    axes.legend(frameon=False, fontsize='small')
