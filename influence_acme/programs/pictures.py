"""What people look at after a run: a video, and who influences whom."""

import csv
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from imageio import v3 as imageio
from matplotlib import figure as figure_lib

from influence_acme import types

_FRAME_MILLISECONDS = 80


def write_video(
  path: str | os.PathLike[str], frames: Sequence[np.ndarray]
) -> None:
  """Writes a video that every browser shows, and that needs no codec.

  Args:
    path: of the video, .gif.
    frames: uint8 [H, W, 3] each, at least one.

  Raises:
    ValueError: there is no frame.
  """
  if not len(frames):
    raise ValueError('A video needs at least one frame.')
  imageio.imwrite(
    os.fspath(path), np.stack(frames), duration=_FRAME_MILLISECONDS, loop=0
  )


def write_influence_matrix(
  path: str | os.PathLike[str],
  matrix: np.ndarray,
  agent_ids: Sequence[types.AgentId],
) -> None:
  """Writes who influences whom, as a heat map and as numbers.

  Args:
    path: of the picture, .png; the numbers go to a .csv beside it.
    matrix: float [N, N], nats per step: the row's agent influences the
      column's. The diagonal is left blank.
    agent_ids: N names.

  Raises:
    ValueError: the matrix is not [N, N].
  """
  path, num_agents = pathlib.Path(path), len(agent_ids)
  if np.shape(matrix) != (num_agents, num_agents):
    raise ValueError(
      f'The matrix must be [{num_agents}, {num_agents}] for {num_agents} '
      f'agents, but it is {list(np.shape(matrix))}.'
    )
  matrix = np.where(np.eye(num_agents, dtype=bool), np.nan, matrix)
  with open(
    path.with_suffix('.csv'), 'w', newline='', encoding='utf-8'
  ) as file:
    writer = csv.writer(file)
    writer.writerow(['influencer', *agent_ids])
    for agent_id, row in zip(agent_ids, matrix, strict=True):
      cells = ['' if np.isnan(x) else f'{x:.6g}' for x in row]
      writer.writerow([agent_id, *cells])
  _draw_matrix(matrix, [i.replace('_', ' ') for i in agent_ids]).savefig(path)


def _draw_matrix(matrix: np.ndarray, names: Sequence[str]) -> figure_lib.Figure:
  """Draws a heat map with the number in each cell but the diagonal's."""
  size = 2.2 + 0.75 * len(names)
  figure = figure_lib.Figure((size + 0.8, size), dpi=120, layout='constrained')
  axes = figure.subplots()
  largest = np.nanmax(matrix, initial=0.0) or 1.0
  decimals = min(max(2 - math.floor(math.log10(largest)), 0), 6)
  image = axes.imshow(matrix, cmap='Blues', vmin=0, vmax=largest)
  for (row, column), value in np.ndenumerate(matrix):
    if not np.isnan(value):
      colour = 'white' if value > 0.6 * largest else '#222222'
      number = axes.text(column, row, f'{value:.{decimals}f}', color=colour)
      number.set(ha='center', va='center', size='small')
  axes.set_xticks(range(len(names)), names)
  axes.set_yticks(range(len(names)), names)
  axes.set_xlabel('influenced')
  axes.set_ylabel('influencer')
  axes.set_title('Who influences whom (KL)', loc='left')
  axes.set_facecolor('#EEEEEE')  # Seen on the diagonal alone.
  axes.tick_params(length=0, labelsize='small')
  axes.spines[:].set_visible(False)
  bar = figure.colorbar(image, shrink=0.8, label='nats per step')
  bar.ax.spines['outline'].set_visible(False)
  return figure
