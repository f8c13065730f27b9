"""Computes the charts that the page draws: plain data, in pixels.

Letters: P points of a line.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import ticker

from influence_acme.runs import curves, plot_specs

# The plane that the axes span; the template adds room for their numbers.
WIDTH, HEIGHT = 290, 140
STEPS = 'environment steps'
_MOST_POINTS = 200
Chart = dict[str, Any]
# What the template also knows: whether the film follows the chart, the height
# of a dashed line, and (x, y, text) of marks.
_PLAIN: Chart = {'is_episode': False, 'rule': None, 'marks': ()}


class Line(NamedTuple):
  """Describes a line of a chart.

  Attributes:
    name: to be shown with the values.
    colour: of CSS.
    x: float [P].
    y: float [P].
    raw: float [P], drawn faintly behind it.
    half_width: float [P], of a band around it.
  """

  name: str
  colour: str
  x: np.ndarray
  y: np.ndarray
  raw: np.ndarray | None = None
  half_width: np.ndarray | None = None


def chart(
  title: str,
  lines: Sequence[Line],
  *,
  unit: str = '',
  x_title: str = STEPS,
  limits: plot_specs.Limits = (None, None),
  least: float = 0.0,
  x_max: float | None = None,
  **more: Any,
) -> Chart:
  """Returns a chart.

  Args:
    title: above it.
    lines: at least one.
    unit: of the vertical axis.
    x_title: of the horizontal axis, which begins at 0.
    limits: of the vertical axis; None: 0, or as far as the lines reach.
    least: what that axis shows at least.
    x_max: the end of the horizontal axis; that of the lines if None.
    **more: for the template.
  """
  x_max = x_max or max(float(each.x[-1]) for each in lines) or 1.0
  ends = [curves.Series(each.x, each.y) for each in lines]
  low, high = curves.limits_of(limits, ends, least)

  def place(values: np.ndarray) -> np.ndarray:
    return HEIGHT * (1 - (np.clip(values, low, high) - low) / (high - low))

  return {
    'title': title,
    'unit': unit,
    'x_title': x_title,
    'domain': (0.0, x_max, low, high),
    'x_ticks': [(WIDTH * x / x_max, text) for x, text in _ticks(0, x_max)],
    'y_ticks': [(place(np.array(y)), text) for y, text in _ticks(low, high)],
    'lines': [_draw(each, x_max, place) for each in lines],
    **_PLAIN,
    **more,
  }


def _draw(
  line: Line, x_max: float, place: Callable[[np.ndarray], np.ndarray]
) -> dict[str, Any]:
  """Returns a line for the template; `place` brings values to the picture."""
  name, colour, x, y, raw, half_width = line
  some = np.arange(0, len(x), max(1, len(x) // _MOST_POINTS))
  some = np.union1d(some, len(x) - 1).astype(int)
  across = WIDTH * x[some] / x_max
  band = None
  if half_width is not None and np.isfinite(half_width).all():
    there, back = y[some] + half_width[some], y[some] - half_width[some]
    band = _points(
      np.concatenate([across, across[::-1]]),
      place(np.concatenate([there, back[::-1]])),
    )
  return {
    'name': name,
    'colour': colour,
    'points': _points(across, place(y[some])),
    'raw': None if raw is None else _points(across, place(raw[some])),
    'band': band,
  }


def panel(
  spec: plot_specs.Panel,
  lines: dict[str, curves.Series],
  colours: dict[str, str],
  x_max: float,
) -> Chart:
  """Returns the chart of what was logged: the moving mean over the rows.

  Lines without a colour are drawn in ink.
  """
  found = []
  for name, each in lines.items():
    colour = colours.get(name, 'var(--ink)')
    mean = curves.smoothed(spec, each)
    if mean is None:
      found.append(Line(name, colour, each.steps, each.values))
    else:
      found.append(Line(name, colour, each.steps, mean, raw=each.values))
  return chart(
    spec.title,
    found,
    unit=spec.unit,
    limits=spec.limits,
    least=spec.least,
    x_max=x_max,
  )


def _points(across: np.ndarray, down: np.ndarray) -> str:
  return ' '.join(f'{x:.1f},{y:.2f}' for x, y in zip(across, down, strict=True))


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
  """Returns round numbers within limits, and their texts."""
  found = ticker.MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
  form = ticker.EngFormatter(sep='')
  margin = 1e-9 * (high - low)
  return [
    (float(x), form(x) if abs(x) >= 1000 else f'{x:.4g}')
    for x in found
    if low - margin <= x <= high + margin
  ]
