"""Learning curves of a run, drawn from its CSV logs alone."""

import dataclasses
import math
import os
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib
from matplotlib import layout_engine, ticker
from matplotlib import lines as lines_lib

from influence_acme import palette
from influence_acme.runs import csv_log, run_dir
from influence_acme.runs import plot_specs as panels_lib

INK = '#222222'
FAINT = '#777777'
# From so many points on a curve is smoothed, and drawn without dots.
_MANY_POINTS = 25


@dataclasses.dataclass(frozen=True)
class Series:
  """One measured quantity.

  Attributes:
    steps: float64 [R], environment steps; they do not decrease.
    values: float64 [R], none of them NaN.
    end: environment steps that the logs with this column reach, also by rows
      in which it is NaN; None: those of its last value.
  """

  steps: np.ndarray
  values: np.ndarray
  end: float | None = None


def write_curves(run: run_dir.RunDirectory) -> None:
  """Draws the learning curves of a run, finished or not, over older ones."""
  series = load(run.logs)
  panels = [panel for panel in panels_lib.PANELS if lines_of(panel, series)]
  layout = layout_engine.ConstrainedLayoutEngine(
    w_pad=0.08, h_pad=0.08, hspace=0.04
  )
  figure = figure_lib.Figure(layout=layout, dpi=120)
  if panels:
    _draw_panels(figure, panels, series, run.path.name)
  else:
    figure.set_size_inches(6, 2)
    figure.text(0.5, 0.5, 'Nothing was logged yet.', ha='center', color=FAINT)
  figure.savefig(run.curves_path)


def load(log_directory: str | os.PathLike[str]) -> dict[str, Series]:
  """Reads all CSV logs of a run: column -> its series.

  What several nodes logged under one name is merged by environment steps.
  Columns without a number are left out.
  """
  parts: dict[str, list[np.ndarray]] = {}
  for path in sorted(pathlib.Path(log_directory).glob('*.csv')):
    columns = csv_log.read_log(path)
    for name, values in columns.items():
      steps = next(iter(columns.values()))
      parts.setdefault(name, []).append(np.stack([steps, values]))
  series = {}
  for name, arrays in parts.items():
    joined = np.concatenate(arrays, axis=1)  # [2, R]
    end = float(joined[0].max(initial=0.0))
    joined = joined[:, np.isfinite(joined[1])]
    joined = joined[:, np.argsort(joined[0], kind='stable')]
    if joined.size:
      steps, values = joined
      series[name] = Series(steps, values, end)
  return series


def limits_of(
  limits: panels_lib.Limits, lines: Iterable[Series], least: float = 0.0
) -> tuple[float, float]:
  """Returns the limits of an axis, from natural ones and the values of lines.

  In place of a limit that is None there stands 0, or as far as the values go
  beyond it; the axis shows `least` at least.
  """
  low, high = limits
  values = np.concatenate([line.values for line in lines])
  if low is None:
    low = min(1.05 * float(values.min()), 0.0)
  if high is None:
    high = max(1.05 * float(values.max()), least)
  return low, high if high > low else low + 1.0


def smoothed(panel: panels_lib.Panel, line: Series) -> np.ndarray | None:
  """Returns the moving mean of a curve; None if it is drawn as it is."""
  count = len(line.values)
  if panel.exact or count < _MANY_POINTS:
    return None
  return smooth(line.values, count // 20 | 1)


def smooth(values: np.ndarray, width: int) -> np.ndarray:
  """Averages each value with its neighbours; fewer of them at both ends.

  Args:
    values: float [R].
    width: how many values to average, an odd number: as many on each side.

  Returns:
    float64 [R].
  """
  sums = np.cumsum(np.concatenate([[0.0], values]))
  index = np.arange(len(values))
  start = np.maximum(index - width // 2, 0)
  stop = np.minimum(index + width // 2 + 1, len(values))
  return (sums[stop] - sums[start]) / (stop - start)


def style_axes(axes: axes_lib.Axes, title: str) -> None:
  """Gives a diagram the look of all our diagrams."""
  axes.set_title(title, loc='left', size='medium', color=INK)
  axes.tick_params(colors=FAINT, labelsize='small', length=0)
  axes.grid(axis='y', color='#E6E6E6', lw=0.8)
  axes.set_axisbelow(True)
  axes.spines[['top', 'right', 'left']].set_visible(False)
  axes.spines['bottom'].set_color('#BBBBBB')


def lines_of(
  panel: panels_lib.Panel, series: dict[str, Series]
) -> dict[str, Series]:
  """Returns the series that a panel shows, agents in order."""
  found = [name for name in series if name.split('/')[0] == panel.name]
  return {
    name: series[name] for name in sorted(found, key=palette.natural_order)
  }


def agents_of(names: Iterable[str]) -> set[str]:
  """Returns the agents of series: the names of theirs end in '/agent'."""
  return {name.partition('/')[2] for name in names if '/' in name}


def _draw_panels(
  figure: figure_lib.Figure,
  panels: Sequence[panels_lib.Panel],
  series: dict[str, Series],
  title: str,
) -> None:
  """Fills the figure, three panels a row, under one legend of the agents."""
  columns = min(3, len(panels))
  rows = math.ceil(len(panels) / columns)
  figure.set_size_inches(4.4 * columns, 2.8 * rows + 0.8)
  shown = {panel: lines_of(panel, series) for panel in panels}
  names = (name for lines in shown.values() for name in lines)
  colours = palette.of_agents(agents_of(names))
  last_step = max(each.steps[-1] for each in series.values())
  all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
  for axes, (panel, lines) in zip(all_axes, shown.items(), strict=False):
    draw_panel(axes, panel, lines, colours, last_step)
  for axes in all_axes[len(panels) :]:
    axes.set_axis_off()

  title = f'{title}: {last_step:,.0f} environment steps'
  # A '$' in the name of a run is no mathematics.
  figure.suptitle(
    title, x=0.008, ha='left', color=INK, weight='bold', parse_math=False
  )
  figure.supxlabel('environment steps', size='small', color=FAINT)
  if colours:
    figure.legend(
      [lines_lib.Line2D([], [], color=c, lw=2) for c in colours.values()],
      [agent.replace('_', ' ') for agent in colours],
      loc='outside upper right',
      ncols=min(len(colours), 8),
      frameon=False,
      fontsize='small',
    )


def draw_panel(
  axes: axes_lib.Axes,
  panel: panels_lib.Panel,
  lines: dict[str, Series],
  colours: dict[str, str],
  last_step: float,
) -> None:
  """Draws one panel: what was measured faintly, its moving mean above it.

  Lines are as of `lines_of`, colours of agents as of `palette.of_agents`.
  """
  for name, line in lines.items():
    colour = colours.get(name.partition('/')[2], INK)
    mean = smoothed(panel, line)
    if mean is None:
      mean = line.values
      if len(mean) < _MANY_POINTS:
        axes.plot(line.steps, mean, 'o', color=colour, markersize=3)
    else:
      alpha = 0.25 if len(lines) == 1 else 0.12
      axes.plot(line.steps, line.values, color=colour, alpha=alpha, lw=0.7)
    axes.plot(line.steps, mean, color=colour, lw=1.6)
    if len(lines) == 1:
      axes.set_title(f'{mean[-1]:.3g}', loc='right', size='small', color=FAINT)
  style_axes(axes, panel.title)
  axes.set_ylabel(panel.unit, size='small', color=FAINT)
  axes.set_ylim(*limits_of(panel.limits, lines.values(), panel.least))
  axes.set_xlim(0, max(1.02 * last_step, 1))
  axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  axes.xaxis.set_major_locator(ticker.MaxNLocator(5))
