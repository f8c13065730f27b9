"""Diagrams for pages: each its own picture, as wide as a phone.

A page puts as many side by side as there is room for.
"""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib

from influence_acme.reports import moments as moments_lib
from influence_acme.runs import curves as curves_lib
from influence_acme.runs import plot_specs

_WIDTH, _HEIGHT = 4.2, 2.7  # Inches.
_DPI = 170  # Twice of what most screens show.


def make(height: float = _HEIGHT) -> tuple[figure_lib.Figure, axes_lib.Axes]:
  """Returns an empty diagram.

  Args:
    height: in inches.
  """
  figure = figure_lib.Figure(
    (_WIDTH, height), dpi=_DPI, layout='constrained', facecolor='white'
  )
  return figure, figure.subplots()


def to_png(figure: figure_lib.Figure) -> bytes:
  """Returns a diagram's file."""
  file = io.BytesIO()
  figure.savefig(file, format='png')
  return file.getvalue()


def curves(
  series: dict[str, curves_lib.Series],
) -> tuple[dict[str, str], dict[str, dict[str, bytes]]]:
  """Draws the learning curves of a run.

  Args:
    series: of its logs, see `report.load`.

  Returns:
    Agent -> its colour, and group -> title -> PNG of what was logged.
  """
  lines = {
    panel: curves_lib.lines_of(panel, series) for panel in plot_specs.PANELS
  }
  lines = {panel: found for panel, found in lines.items() if found}
  colours = curves_lib.agent_colours(
    name for found in lines.values() for name in found
  )
  last_step = max((each.steps[-1] for each in series.values()), default=0)
  drawn: dict[str, dict[str, bytes]] = {}
  for panel, found in lines.items():
    figure, axes = make()
    curves_lib.draw_panel(axes, panel, found, colours, last_step)
    axes.set_xlabel('environment steps', size='small', color=curves_lib.FAINT)
    drawn.setdefault(panel.group, {})[panel.title] = to_png(figure)
  return colours, drawn


def reliability(bins: np.ndarray) -> bytes:
  """Draws how often predictions came true, by how sure they were.

  Args:
    bins: float [3, G]: mean confidence, accuracy and number of predictions of
      each bin.

  Returns:
    A PNG.
  """
  confidence, accuracy, count = bins[:, bins[2] > 0]
  figure, axes = make(height=3.6)
  axes.plot([0, 1], [0, 1], color='#BBBBBB', lw=1, ls='--')
  axes.plot(confidence, accuracy, color=curves_lib.COLOURS[0], lw=1.6)
  axes.scatter(
    confidence,
    accuracy,
    s=8 + 80 * count / count.sum(),
    color=curves_lib.COLOURS[0],
  )
  curves_lib.style_axes(axes, 'How sure, and how often right')
  axes.set_xlabel('mean confidence', size='small', color=curves_lib.FAINT)
  axes.set_ylabel('accuracy', size='small', color=curves_lib.FAINT)
  axes.set_xlim(0, 1.02)
  axes.set_ylim(0, 1.02)
  return to_png(figure)


def influence_traces(
  influence: np.ndarray,
  names: Sequence[str],
  moments: Sequence[moments_lib.Moment],
) -> dict[str, bytes]:
  """Draws how much each agent influences the others over an episode.

  Args:
    influence: float [T, N, N], nats, of the row's agent on the column's; the
      diagonal is NaN.
    names: of the agents, N.
    moments: that get a mark, and their number, counted from 1.

  Returns:
    Name -> PNG.
  """
  total = np.nansum(influence, axis=-1)  # [T, N]
  colours = curves_lib.agent_colours(f'influence/{name}' for name in names)
  top = max(1.2 * float(total.max(initial=0.0)), 1e-12)
  drawn = {}
  for i, name in enumerate(names):
    figure, axes = make(height=1.9)
    axes.fill_between(range(len(total)), total[:, i], color=colours[name], lw=0)
    axes.plot(total[:, i], color=colours[name], lw=0.7)
    for number, moment in enumerate(moments, 1):
      if moment.influencer == i:
        at = moment.step, total[moment.step, i]
        axes.plot(*at, 'o', color=curves_lib.INK, markersize=3)
        axes.annotate(
          str(number),
          at,
          (0, 3),
          textcoords='offset points',
          ha='center',
          size='small',
          color=curves_lib.INK,
        )
    curves_lib.style_axes(axes, name)
    mean = f'mean {total[:, i].mean():.2g}'
    axes.set_title(mean, loc='right', size='small', color=curves_lib.FAINT)
    axes.set_ylim(0, top)
    axes.set_xlim(0, max(len(total) - 1, 1))
    axes.set_ylabel('nats', size='small', color=curves_lib.FAINT)
    axes.set_xlabel('step of the episode', size='small', color=curves_lib.FAINT)
    drawn[name] = to_png(figure)
  return drawn
