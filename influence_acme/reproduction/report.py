"""The report of a sweep: curves over seeds, and tables beside the paper's.

curves.png       collective return, and R (1 - G), of each variant
robustness.png   the same of the five best settings of a search
report.md        final returns beside the paper's, lazy agents, correlations

All are of finished runs; report.md names those that are not.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib
from matplotlib import ticker

from influence_acme.reproduction import behaviour, influenced, statistics
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import curves as run_report
from influence_acme.system import presets

# Final collective return (Jaques et al., 2019, Table 4), by `presets.GAMES`.
PAPER_FINAL = {
  'baseline': (89, 485),
  'inequity_aversion': (275, 750),
  'basic_influence': (190, 1073),
  'communication': (166, 951),
  'moa': (392, 588),
}
NUM_BEST = 5
PANELS = {
  results_lib.COLLECTIVE: 'Collective return',
  results_lib.FAIR: 'Collective return x equality, R (1 - G)',
}
FINISHED_NOTE = (
  "Tables, rankings and curves are of finished runs alone; a variant's curves "
  'end where the shortest of these does.'
)
FINAL_HEADER = (
  'variant',
  'setting',
  'seeds',
  'collective return',
  'paper',
  'R (1 - G)',
)
FINAL_NOTE = (
  f'Means of the last {statistics.FINAL_FRACTION:.0%} of each run, then over '
  f'seeds, with {statistics.CONFIDENCE:.1%} intervals (t); all finished seeds '
  'count. The paper left out Harvest seeds with a lazy agent.'
)
LAZY_NOTE = (
  'Agents that collected no apple in any episode of a finished run (their runs '
  'count above):'
)


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
  text = '\n'.join(
    [
      f'# {sweep.experiment}, {sweep.game}',
      '',
      state,
      *_bullets(under_way),
      '',
      FINISHED_NOTE,
      '',
      FINAL_NOTE,
      '',
      *map(_row, (FINAL_HEADER, ['---'] * len(FINAL_HEADER))),
      *map(_row, final_rows(sweep, groups)),
      '',
      behaviour.NOTE,
      '',
      *map(_row, (behaviour.HEADER, ['---'] * len(behaviour.HEADER))),
      *map(_row, behaviour.rows(groups)),
      '',
      LAZY_NOTE,
      '',
      *_bullets(lazy_agents(results)),
      '',
      influenced.NOTE,
      '',
      *_bullets(influenced.lines(groups)),
    ]
  )
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
    f'not finished: {name(r.run)} ({r.steps:,} steps).'
    for r in results
    if not r.is_finished
  ]


def final_rows(
  sweep: sweep_lib.Sweep, groups: results_lib.Groups
) -> list[tuple[str, ...]]:
  """Returns one row for each setting of each variant, the best first.

  Args:
    sweep: of which game.
    groups: of `results.by_setting`.

  Returns:
    What `FINAL_HEADER` names.
  """
  rows: list[tuple[str, ...]] = []
  game = presets.GAMES.index(sweep.game)
  for variant, settings in groups.items():
    paper = str(PAPER_FINAL[variant][game]) if variant in PAPER_FINAL else '-'
    for setting, group in settings.items():
      final = _text([result.final_return for result in group])
      fair = _text([result.final_fair_return for result in group])
      rows.append((variant, setting, str(len(group)), final, paper, fair))
  return rows


def lazy_agents(results: list[results_lib.Result]) -> list[str]:
  """Returns a line for each run in which an agent collects no apple."""
  lines = []
  for result in results:
    who = result.lazy_text
    if not result.is_finished or not who:
      continue
    lines.append(
      f'{name(result.run)}: {who} (collective return {result.final_return:.1f})'
    )
  return lines or ['none.']


def name(run: sweep_lib.Run) -> str:
  """Returns what a run is called: where it lies in the sweep."""
  return f'{run.variant}/{run.setting}/seed_{run.seed}'


def _bullets(lines: list[str]) -> list[str]:
  return [f'- {line}' for line in lines]


def _row(cells: Sequence[str]) -> str:
  return f'| {" | ".join(cells)} |'


def _text(values: list[float]) -> str:
  mean, half_width = statistics.interval(np.array(values))
  width = '' if np.isnan(half_width) else f' ± {half_width:.1f}'
  return f'{mean:.1f}{width}'


def _draw(
  sweep: sweep_lib.Sweep,
  groups: dict[str, list[results_lib.Result]],
  name: str,
) -> None:
  """Draws mean curves, with bands of their intervals."""
  figure = figure_lib.Figure(figsize=(11, 4.2), dpi=120, layout='constrained')
  for axes, column in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
    draw_panel(axes, column, groups)
  figure.savefig(sweep.directory / name)


def draw_panel(
  axes: axes_lib.Axes,
  column: str,
  groups: dict[str, list[results_lib.Result]],
) -> None:
  """Draws the mean curve of each variant, with a band of its interval.

  Few seeds have bands so wide that curves would look flat: then they are cut.

  Args:
    axes: to draw on.
    column: of `PANELS`.
    groups: variant -> its results.
  """
  lowest, highest = np.inf, -np.inf
  run_report.style_axes(axes, PANELS[column])
  axes.set_xlabel('environment steps', color=run_report.FAINT)
  axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  for (variant, group), colour in zip(
    groups.items(), run_report.COLOURS, strict=False
  ):
    curves = [r.series[column] for r in group if column in r.series]
    if not curves:
      continue
    steps, values = statistics.on_grid(curves)
    mean, half_width = statistics.interval(values)
    lowest = min(lowest, values.min(initial=np.inf))
    highest = max(highest, values.max(initial=-np.inf))
    note = '' if steps.size else ', no common steps'
    label = f'{variant} ({len(curves)}{note})'
    axes.plot(steps, mean, color=colour, lw=1.6, label=label)
    axes.fill_between(
      steps,
      mean - half_width,
      mean + half_width,
      color=colour,
      alpha=0.18,
      lw=0,
    )
  if axes.lines and lowest <= highest:
    span = max(highest - lowest, 1.0)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, lowest - span), min(top, highest + span))
    axes.legend(frameon=False, fontsize='small')
