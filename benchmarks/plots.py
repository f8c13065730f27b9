"""Diagrams of training runs: speed and memory, and learning."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import figure as figure_lib
from matplotlib import layout_engine, ticker

from influence_acme.runs import curves as curves_lib


def write_sweep(
  path: str | os.PathLike[str], sweep: str, points: Sequence[dict[str, Any]]
) -> None:
  """Draws speed and memory over what was varied.

  Args:
    path: of the picture, .png.
    sweep: what was varied.
    points: as of `scaling.measure`.
  """
  figure = _new_figure(8.8, 3.2)
  speed, memory = figure.subplots(1, 2)
  kinds = list(dict.fromkeys(point['kind'] for point in points))
  for kind, colour in zip(kinds, curves_lib.COLOURS, strict=False):
    mine = [point for point in points if point['kind'] == kind]
    values = [point['value'] for point in mine]
    rates = [point['steps_per_second'] for point in mine]
    medians = [rate['median'] for rate in rates]
    speed.fill_between(
      values,
      [rate['min'] for rate in rates],
      [rate['max'] for rate in rates],
      color=colour,
      alpha=0.15,
      lw=0,
    )
    speed.plot(values, medians, 'o-', color=colour, lw=1.6, markersize=4)
    bytes_ = [point['peak_memory_bytes'] for point in mine]
    memory.plot(
      values,
      [number / 2**30 for number in bytes_],
      'o-',
      color=colour,
      lw=1.6,
      markersize=4,
      label=kind,
    )
  for axes, title in ((speed, 'steps/s'), (memory, 'peak memory, GiB')):
    curves_lib.style_axes(axes, title)
    axes.set_xlabel(
      sweep.replace('_', ' '), size='small', color=curves_lib.FAINT
    )
    axes.set_ylim(bottom=0)
    _mark_values(axes, sorted({point['value'] for point in points}))
  speed.yaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  figure.legend(loc='outside upper right', ncols=2, frameon=False)
  figure.savefig(path)


def write_learning(
  path: str | os.PathLike[str],
  curves: Mapping[str, Sequence[Mapping[str, Sequence[float]]]],
  optimum: float,
) -> None:
  """Draws the returns of runs of several kinds, a thin line for each run.

  Args:
    path: of the picture, .png.
    curves: kind -> runs, each with 'steps' and 'returns'.
    optimum: the best return, a dashed line.
  """
  figure = _new_figure(8.8, 3.2)
  panels = figure.subplots(1, len(curves), sharey=True)
  for axes, kind, colour in zip(
    panels, curves, curves_lib.COLOURS, strict=False
  ):
    for run in curves[kind]:
      axes.plot(run['steps'], run['returns'], color=colour, lw=0.8, alpha=0.6)
    axes.axhline(optimum, color=curves_lib.FAINT, lw=0.8, ls='--')
    curves_lib.style_axes(axes, f'return of an agent, {kind}')
    axes.set_xlabel('environment steps', size='small', color=curves_lib.FAINT)
    axes.set_ylim(bottom=0)
  figure.savefig(path)


def write_memory(
  path: str | os.PathLike[str], seconds: Sequence[float], sizes: Sequence[int]
) -> None:
  """Draws memory over time.

  Args:
    path: of the picture, .png.
    seconds: of each sample.
    sizes: in bytes.
  """
  figure = _new_figure(5.2, 3.0)
  axes = figure.subplots()
  axes.plot(
    [second / 60 for second in seconds],
    [size / 2**30 for size in sizes],
    color=curves_lib.COLOURS[0],
    lw=1.6,
  )
  curves_lib.style_axes(axes, 'resident memory, GiB')
  axes.set_xlabel('minutes', size='small', color=curves_lib.FAINT)
  axes.set_ylim(bottom=0)
  figure.savefig(path)


def _new_figure(width: float, height: float) -> figure_lib.Figure:
  """Returns an empty figure of a size in inches, with room around its parts."""
  layout = layout_engine.ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
  return figure_lib.Figure(figsize=(width, height), layout=layout, dpi=120)


def _mark_values(axes: Any, values: Sequence[int]) -> None:
  """Puts a mark at each value that was measured, in equal ratios if wide."""
  if values[-1] >= 8 * values[0]:
    axes.set_xscale('log')
  axes.set_xticks(values, [str(value) for value in values])
  axes.xaxis.set_minor_locator(ticker.NullLocator())
