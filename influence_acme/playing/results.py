"""Summarises an evaluation: a text, and files.

    returns.csv             of each episode
    summary.json            means with intervals, and the influence matrix
    influence_matrix.csv    nats per step, and a picture of it:
    influence_matrix.png
    episode.gif             film of the first episode
    episode.mp4             the same, where imageio-ffmpeg is installed
    episode.npz             its actions, rewards and influence, step by step

Letters: E episodes, N agents.
"""

import csv
import importlib.util
import math
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from influence_acme.metrics import episode, interval
from influence_acme.playing import evaluation as evaluation_lib
from influence_acme.runs import config_file, episode_record, failures, pictures

CONFIDENCE = 0.95
COLLECTIVE = 'collective'


def intervals(
  evaluation: evaluation_lib.Evaluation,
) -> dict[str, dict[str, float | None]]:
  """Returns the mean return and its 95% t interval.

  They are by agent id, and 'collective' for the sum over agents, as 'mean',
  'low' and 'high'; the last two are None of one episode.
  """
  found: dict[str, dict[str, float | None]] = {}
  for name, values in _returns(evaluation).items():
    mean, half_width = map(float, interval.interval(values, CONFIDENCE))
    low, high = mean - half_width, mean + half_width
    is_known = math.isfinite(half_width)
    found[name] = {
      'mean': mean,
      'low': low if is_known else None,
      'high': high if is_known else None,
    }
  return found


def to_text(evaluation: evaluation_lib.Evaluation) -> str:
  """Returns the summary to be printed."""
  lines = ['Return: mean and 95% interval']
  for name, own in intervals(evaluation).items():
    bounds = [own['low'], own['high']]
    between = ', '.join('?' if x is None else f'{x:.2f}' for x in bounds)
    lines.append(f'  {name:<12}{own["mean"]:>12.2f}  [{between}]')
  if evaluation.influence is None:
    return '\n'.join([*lines, 'Influence: none is computed by these agents.'])
  lines.append(
    "Influence, nats per step by KL: of the row's agent on the column's"
  )
  lines.append(' ' * 14 + ''.join(f'{x:>12}' for x in evaluation.agent_ids))
  for name, row in zip(evaluation.agent_ids, evaluation.influence, strict=True):
    cells = ['-' if np.isnan(x) else f'{x:.6f}' for x in row]
    lines.append(f'  {name:<12}' + ''.join(f'{x:>12}' for x in cells))
  return '\n'.join(lines)


def write(
  path: pathlib.Path,
  evaluation: evaluation_lib.Evaluation,
  settings: Mapping[str, Any],
) -> None:
  """Writes the files of an evaluation, and its settings, over older ones.

  A picture or film that cannot be written is told on stderr.

  Raises:
    OSError: the directory, made if it is missing, cannot be written.
  """
  path.mkdir(parents=True, exist_ok=True)
  returns = _returns(evaluation)
  with open(path / 'returns.csv', 'w', newline='', encoding='utf-8') as file:
    writer = csv.writer(file)
    writer.writerow(['episode', 'length', *returns])
    rows = zip(evaluation.lengths, *returns.values(), strict=True)
    for number, (length, *each) in enumerate(rows):
      writer.writerow([number, length, *[f'{x:.6g}' for x in each]])
  matrix = None
  if evaluation.influence is not None:
    matrix = episode.of_pairs(evaluation.influence, evaluation.agent_ids)
  summary = {
    **settings,
    'confidence': CONFIDENCE,
    'returns': intervals(evaluation),
    'mean_length': float(evaluation.lengths.mean()),
    'influence_matrix': matrix,
  }
  config_file.write_json(path / 'summary.json', summary)
  _write_pictures(path, evaluation)


def _write_pictures(
  path: pathlib.Path, evaluation: evaluation_lib.Evaluation
) -> None:
  """Writes all that people look at; a failure of one does not stop others."""
  with failures.optional('episode.npz'):
    episode_record.write_arrays(path / 'episode.npz', evaluation.records[0])
  with failures.optional('episode.gif'):
    pictures.write_video(path / 'episode.gif', _frames(evaluation))
  if importlib.util.find_spec('imageio_ffmpeg') is not None:
    with failures.optional('episode.mp4'):
      pictures.write_mp4(path / 'episode.mp4', _frames(evaluation))
  if evaluation.influence is not None:
    with failures.optional('influence_matrix.png'):
      pictures.write_influence_matrix(
        path / 'influence_matrix.png',
        evaluation.influence,
        evaluation.agent_ids,
      )


def _frames(evaluation: evaluation_lib.Evaluation) -> Iterator[np.ndarray]:
  """Renders the film, with what each agent observed if that is a picture."""
  film = evaluation.film
  is_picture = film.views.ndim == 5 and film.views.shape[-1] == 3
  return pictures.with_views(
    film.frames(), film.views if is_picture else None, film.messages
  )


def _returns(evaluation: evaluation_lib.Evaluation) -> dict[str, np.ndarray]:
  """Returns float [E] of each agent, and of all together."""
  each = dict(zip(evaluation.agent_ids, evaluation.returns.T, strict=True))
  return {**each, COLLECTIVE: evaluation.returns.sum(axis=1)}
