"""Describes the recorded episode of a run for its page.

Letters: T steps, N agents, A actions.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from influence_acme import palette
from influence_acme.environments.grid import colours as grid_colours
from influence_acme.environments.grid import render
from influence_acme.metrics import influence_peaks
from influence_acme.reports import charts
from influence_acme.runs import curves, episode_record, film, pictures, run_dir
from influence_acme.system import variants as variants_lib

Block = dict[str, Any]
# Variants whose influence shows in the same step, and not in the next one.
_AT_ONCE = frozenset(variants_lib.names(experiment='basic'))
_NUM_MOMENTS, _STEPS_APART = 6, 20
_MOST_BINS = 290
# The share of log A, the most that a choice can tell, below which all is noise.
_NOISE = 0.01
_USUAL_ACTIONS = 8
_NO_EPISODE = (
  'No episode was recorded yet. A Launchpad program records one when it has '
  'reached its number of steps: resume it; of any run, python -m '
  'influence_acme.evaluate RUN records one. Then write this page again.'
)
_NO_INFLUENCE = (
  'No influence was measured in the recorded episode: these agents have '
  'nothing that says what others would have done.'
)
_NO_STEPS = (
  'Only means of this episode were kept: influence step by step is missing, '
  'and so are the moments of most influence.'
)


def find(run: run_dir.RunDirectory) -> run_dir.RunDirectory:
  """Returns the directory that has a run's episode, whichever face wrote it."""
  evaluation = run_dir.RunDirectory(run.path / 'evaluation')
  own = run.video_path.exists() or run.episode_path.exists()
  return run if own or not evaluation.path.is_dir() else evaluation


def sections(
  run: run_dir.RunDirectory,
  played: episode_record.EpisodeRecord | None,
  variants: Sequence[str],
) -> dict[str, list[Block]]:
  """Returns the parts of a page about the recorded episode, by their titles.

  Args:
    run: of `find`.
    played: what happened in it, if that was kept.
    variants: of the agents, which say when influence shows.
  """
  blocks = _film(run)
  found: list[influence_peaks.Peak] = []
  if played is not None:
    blocks.append(_agents(played))
    if played.influence is not None:
      noise = _noise(played)
      found = influence_peaks.find(
        played.influence, _NUM_MOMENTS, _STEPS_APART, noise
      )
      blocks += [
        {
          'kind': 'text',
          'text': 'How much each agent influences all others together, in each '
          'step. Below the dashed line, 1% of log A, it is noise. Click to see '
          'the step in the film.',
        },
        {'kind': 'charts', 'charts': _traces(played, found, noise)},
        *_moments(played, found, noise, variants),
      ]
  parts = {'An episode': blocks}
  matrix = influence_map(run, played)
  if matrix:
    parts['Who influences whom'] = [matrix]
  if played is None or played.influence is None:
    has_film = played is not None or run.video_path.exists()
    why = _NO_STEPS if matrix else _NO_INFLUENCE
    blocks.append({'kind': 'text', 'text': why if has_film else _NO_EPISODE})
  if played is not None and played.reliability is not None:
    parts['What agents foresee'] = _foresight(played)
  return parts


def influence_map(
  run: run_dir.RunDirectory, played: episode_record.EpisodeRecord | None
) -> Block | None:
  """Returns who influences whom in a run; None if that was not measured."""
  read = pictures.read_influence_matrix(run.influence_matrix_path)
  if read is None:
    return None
  agent_ids, matrix = read
  noise = _noise(played)
  return {
    'kind': 'map',
    'names': names(agent_ids),
    'rows': [
      [
        None
        if np.isnan(value)
        else {
          'text': f'{value:.2g}',
          'share': float(pictures.strength(value)),
          'noise': bool(value < noise),
        }
        for value in row
      ]
      for row in matrix
    ],
    'caption': 'Mean influence of the row’s agent on the column’s, in nats a '
    'step, by KL. Colours are the same on every page: white up to 0.01 nats, '
    f'darkest from 1 on. Grey numbers, below {noise:.2g} (1% of log A), are '
    'noise.',
  }


def names(agent_ids: Sequence[str]) -> list[str]:
  """Returns names of agents that are not broken over two lines."""
  return [agent_id.replace('_', '\N{NO-BREAK SPACE}') for agent_id in agent_ids]


def _noise(played: episode_record.EpisodeRecord | None) -> float:
  """Returns the nats below which influence is noise: 1% of log A."""
  count = _USUAL_ACTIONS
  if played is not None:
    count = len(played.action_names) or int(played.actions.max(initial=1)) + 1
  return _NOISE * math.log(max(count, 2))


def _film(run: run_dir.RunDirectory) -> list[Block]:
  if run.video_path.exists():
    packed = film.pack(run.video_path)._asdict()
    return [
      {'kind': 'film', 'key': _key(packed.pop('colours')), 'film': packed}
    ]
  if run.episode_path.exists():
    return [{'kind': 'text', 'text': 'There is no film of this episode.'}]
  return []


def _key(colours: frozenset[str]) -> list[dict[str, str]]:
  """Returns the things in a film: what people and what agents see of each."""
  agents = zip(grid_colours.AGENTS, palette.AGENTS, strict=False)
  pairs = {
    **render.SHOWN,
    **{f'agent {i}': (x, palette.rgb(y)) for i, (x, y) in enumerate(agents)},
  }
  key = [
    {'name': name, 'seen': _text(seen), 'shown': _text(shown)}
    for name, (seen, shown) in pairs.items()
  ]
  return [each for each in key if each['shown'] in colours]


def _text(colour: grid_colours.RGB) -> str:
  return f'#{bytes(colour).hex().upper()}'


def _agents(played: episode_record.EpisodeRecord) -> Block:
  """Returns the table of what each agent got and did."""
  rows = []
  for i, name in enumerate(names(played.agent_ids)):
    counts = np.bincount(played.actions[:, i])
    favourite = _action(played, int(counts.argmax()))
    row = [
      name,
      f'{played.rewards[:, i].sum():.6g}',
      int((played.rewards[:, i] > 0).sum()),
      f'{favourite} ({counts.max() / counts.sum():.0%})',
    ]
    if played.messages is not None:
      row.append(len(np.unique(played.messages[:, i])))
    rows.append(row)
  header = ['', 'return', 'rewarded steps', 'most frequent action']
  if played.messages is not None:
    header.append('different messages')
  return {
    'kind': 'table',
    'header': header,
    'rows': rows,
    'caption': f'{len(played.rewards):,} steps',
  }


def _foresight(played: episode_record.EpisodeRecord) -> list[Block]:
  """Returns how well models of others foresaw what the others did."""
  assert played.reliability is not None
  values = played.measures
  confidence, accuracy, count = played.reliability[:, played.reliability[2] > 0]
  text = (
    'Of the likeliest next actions of others in view, as foreseen, '
    f'{values["moa_accuracy"]:.1%} were taken. On average the models are '
    f'{values["moa_calibration_error"]:.1%} off in how sure they are '
    '(expected calibration error). Below the grey line they are too sure. '
    f'Predictions: {int(count.sum()):,}.'
  )
  ends = np.array([0.0, 1.0])
  chart = charts.chart(
    'How sure, and how often right',
    [
      charts.line('as sure as right', 'var(--faint)', ends, ends),
      charts.line('accuracy', palette.AGENTS[0], confidence, accuracy),
    ],
    unit='accuracy',
    x_title='mean confidence',
    limits=(0.0, 1.0),
    x_max=1.0,
  )
  return [{'kind': 'text', 'text': text}, {'kind': 'charts', 'charts': [chart]}]


def _traces(
  played: episode_record.EpisodeRecord,
  found: Sequence[influence_peaks.Peak],
  noise: float,
) -> list[charts.Chart]:
  """Returns a chart of each agent's influence on all others, on one scale."""
  assert played.influence is not None
  total = np.nansum(played.influence, axis=-1)  # [T, N]
  limits = 0.0, max(1.15 * float(total.max(initial=0.0)), 5 * noise)
  # Of each pixel the highest step, so that no peak is lost.
  bins = np.array_split(np.arange(len(total)), min(len(total), _MOST_BINS) or 1)
  drawn = []
  colours = curves.agent_colours(f'x/{each}' for each in played.agent_ids)
  for i, agent_id in enumerate(played.agent_ids):
    steps = np.array([part[total[part, i].argmax()] for part in bins])
    drawn.append(
      charts.chart(
        names([agent_id])[0],
        [charts.line('influence', colours[agent_id], steps, total[steps, i])],
        unit=f'nats, mean {total[:, i].mean():.2g}',
        x_title='step of the episode',
        limits=limits,
        x_max=max(len(total) - 1, 1),
        is_episode=True,
        rule=charts.HEIGHT * (1 - noise / limits[1]),
        marks=[
          (
            charts.WIDTH * peak.step / max(len(total) - 1, 1),
            charts.HEIGHT * (1 - total[peak.step, i] / limits[1]),
            number,
          )
          for number, peak in enumerate(found, 1)
          if peak.influencer == i
        ],
      )
    )
  return drawn


def _moments(
  played: episode_record.EpisodeRecord,
  found: Sequence[influence_peaks.Peak],
  noise: float,
  variants: Sequence[str],
) -> list[Block]:
  """Returns the moments of most influence, or that all of it is noise."""
  if found:
    moments = [
      {'step': peak.step, 'text': _describe(played, peak, variants)}
      for peak in found
    ]
    return [
      {'kind': 'heading', 'text': 'Moments of most influence'},
      {'kind': 'moments', 'moments': moments},
    ]
  assert played.influence is not None
  most = float(np.nan_to_num(played.influence).max(initial=0.0))
  text = (
    f'Nobody influenced anybody by more than {most:.2g} nats in a step, below '
    f'1% of log A, {noise:.2g} nats: that is noise, and no moment is shown.'
  )
  return [{'kind': 'text', 'text': text}]


def _describe(
  played: episode_record.EpisodeRecord,
  peak: influence_peaks.Peak,
  variants: Sequence[str],
) -> str:
  """Puts a moment into words."""
  step, who = peak.step, names(played.agent_ids)
  did = f'does “{_action(played, played.actions[step, peak.influencer])}”'
  if played.messages is not None:
    did = f'says {played.messages[step, peak.influencer]}'
  at_once = not _AT_ONCE.isdisjoint(variants)
  reply = 'does at the same time' if at_once else 'does next'
  text = (
    f'{who[peak.influencer]} {did}. That changes what '
    f'{who[peak.influenced]} {reply} by {peak.influence:.3g} nats'
  )
  answered = step if at_once else step + 1
  if answered < len(played.actions):
    action = _action(played, played.actions[answered, peak.influenced])
    text += f': it does “{action}”'
  return f'{text[0].upper()}{text[1:]}.'


def _action(played: episode_record.EpisodeRecord, action: int) -> str:
  """Returns what people call an action."""
  shown = played.action_names
  return shown[action] if shown else f'action {action}'
