"""Writes the page and the picture of a comparison from its JSON alone."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import figure as figure_lib

from influence_acme import palette
from influence_acme.metrics import interval as interval_lib
from influence_acme.reproduction import statistics
from influence_acme.runs import curves


def means(series: curves.Series, grid: np.ndarray) -> np.ndarray:
  """Returns the mean value of each stretch that ends at a step of the grid."""
  index = np.minimum(np.searchsorted(grid, series.steps), len(grid) - 1)
  count = np.bincount(index, minlength=len(grid))
  total = np.bincount(index, series.values, len(grid))
  means = total / np.maximum(count, 1)
  return np.interp(grid, grid[count > 0], means[count > 0])


def final(run: Mapping[str, Any], column: str) -> float:
  """Returns the mean over the last tenth of a run's steps."""
  values = run['curves'][column]
  return float(np.mean(values[-(len(values) // 10) :]))


def page(results: Mapping[str, Any]) -> str:
  """Returns the Markdown page of a comparison, from its JSON alone."""
  runs = results['runs']
  lines = [
    f'# {results["rung"]}',
    '',
    f'Means over the last tenth of {results["num_steps"]:,} steps, with '
    f'{statistics.CONFIDENCE:.1%} intervals over seeds (Student; none of a '
    'single seed).',
    '',
    '| variant | seeds | collective return | apples | waste cleaned '
    '| influence, nats a step | entropy, nats | first at 200 apples |',
    '|---|---|---|---|---|---|---|---|',
  ]
  for variant in dict.fromkeys(run['variant'] for run in runs):
    of_variant = [run for run in runs if run['variant'] == variant]
    cells = [
      _interval([final(run, column) for run in of_variant])
      for column in (
        'collective_return',
        'apples',
        'waste_cleaned',
        'influence',
        'entropy',
      )
    ]
    first = ', '.join(_first(run, 200.0) for run in of_variant)
    seeds = ', '.join(str(run['seed']) for run in of_variant)
    lines.append('| ' + ' | '.join([variant, seeds, *cells, first]) + ' |')
  lines += ['', f'![Curves]({results["rung"]}.png)', '']
  lines += ['| command of each run | commit | steps | wall time |']
  lines += ['|---|---|---|---|']
  lines += [
    f'| `{run["command"]}` | {run["commit"]} | {run["environment_steps"]:,} '
    f'| {run["wall_seconds"] / 60:.0f} min |'
    for run in runs
  ]
  return '\n'.join(lines) + '\n'


def _interval(values: Sequence[float]) -> str:
  mean, half_width = interval_lib.interval(
    np.array(values), statistics.CONFIDENCE
  )
  return f'{mean:.4g}' + (f' ± {half_width:.3g}' if len(values) > 1 else '')


def _first(run: Mapping[str, Any], bar: float) -> str:
  steps = run['curves']['environment_steps']
  apples = run['curves']['apples']
  above = [x for x, y in zip(steps, apples, strict=True) if y >= bar]
  return f'{above[0] / 1e6:.2f}e6' if above else 'never'


def draw(results: Mapping[str, Any], path: pathlib.Path) -> None:
  """Draws the curves: seeds as thin lines, their mean as a thick one."""
  figure = figure_lib.Figure(figsize=(11, 3.2), layout='constrained')
  names = ('collective_return', 'apples', 'influence')
  for axes, column in zip(figure.subplots(1, len(names)), names, strict=True):
    curves.style_axes(axes, column.replace('_', ' '))
    found = dict.fromkeys(run['variant'] for run in results['runs'])
    for variant, colour in zip(found, palette.AGENTS, strict=False):
      runs = [x['curves'] for x in results['runs'] if x['variant'] == variant]
      steps = np.array(runs[0]['environment_steps']) / 1e6
      values = np.array([run[column] for run in runs])
      axes.plot(steps, values.T, color=colour, linewidth=0.6, alpha=0.6)
      axes.plot(steps, values.mean(0), color=colour, label=variant)
    axes.set_xlabel('environment steps, millions')
    if column != 'influence':  # The first fines would hide all that follows.
      axes.set_ylim(bottom=-20)
  figure.axes[0].legend(frameon=False, fontsize=7)
  figure.savefig(path, dpi=110)
