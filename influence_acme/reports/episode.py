"""Gathers the recorded episode of a run for its page.

Letters: T steps, N agents, A actions.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from influence_acme import palette
from influence_acme.environments.grid import colours as grid_colours
from influence_acme.environments.grid import render
from influence_acme.metrics import influence_peaks
from influence_acme.reports import charts
from influence_acme.reproduction import behaviour
from influence_acme.runs import episode_record, packed_film, pictures, run_dir
from influence_acme.system import variants as variants_lib

_NUM_MOMENTS, _STEPS_APART = 6, 20
_MOST_BINS = 290
_USUAL_ACTIONS = 8


def find(run: run_dir.RunDirectory) -> run_dir.RunDirectory:
  """Returns the directory that has a run's episode, whichever face wrote it."""
  evaluation = run_dir.RunDirectory(run.evaluation_path)
  own = run.video_path.exists() or run.episode_path.exists()
  return run if own or not evaluation.path.is_dir() else evaluation


def describe(
  run: run_dir.RunDirectory,
  played: episode_record.EpisodeRecord | None,
  variant: variants_lib.VariantName,
) -> dict[str, Any]:
  """Returns what a page shows of the recorded episode, in the run of `find`.

  The variant, of all agents or each agent's own, says when influence shows.
  """
  found: dict[str, Any] = {
    'film': None,
    'agents': [],
    'traces': [],
    'map': influence_map(run, played),
  }
  if run.video_path.exists():
    packed = packed_film.pack(run.video_path)._asdict()
    found |= {'key': _key(packed.pop('colours')), 'film': packed}
  if played is None:
    return found
  found |= {
    'agents': _agents(played),
    'steps': f'{len(played.rewards):,}',
    'speaks': played.messages is not None,
  }
  if played.influence is None:
    return found
  noise = _noise(played)
  peaks = influence_peaks.find(
    played.influence, _NUM_MOMENTS, _STEPS_APART, noise
  )
  return found | {
    'noise': f'{noise:.2g}',
    'most': float(np.nan_to_num(played.influence).max(initial=0.0)),
    'traces': _traces(played, played.influence, peaks, noise),
    'moments': [_moment(played, peak, variant) for peak in peaks],
  }


def influence_map(
  run: run_dir.RunDirectory, played: episode_record.EpisodeRecord | None
) -> dict[str, Any] | None:
  """Returns who influences whom in a run; None if that was not measured."""
  read = pictures.read_influence_matrix(run.influence_matrix_path)
  if read is None:
    return None
  agent_ids, matrix = read
  noise = _noise(played)

  def cell(nats: float) -> dict[str, Any]:
    share = float(pictures.strength(np.array(nats)))
    return {'text': f'{nats:.2g}', 'share': share, 'noise': nats < noise}

  rows = [[None if np.isnan(x) else cell(x) for x in row] for row in matrix]
  return {'names': names(agent_ids), 'noise': f'{noise:.2g}', 'rows': rows}


def names(agent_ids: Iterable[str]) -> list[str]:
  """Returns names of agents that are not broken over two lines."""
  return [agent_id.replace('_', '\N{NO-BREAK SPACE}') for agent_id in agent_ids]


def _noise(played: episode_record.EpisodeRecord | None) -> float:
  """Returns the nats below which influence is noise: 1% of log A."""
  count = _USUAL_ACTIONS
  if played is not None:
    count = len(played.action_names) or int(played.actions.max(initial=1)) + 1
  return behaviour.NOISE * math.log(max(count, 2))


def _key(colours: frozenset[str]) -> list[dict[str, str]]:
  """Returns what people and what agents see of each thing in a film.

  Without the colour of agent 0 it is no film of a grid world.
  """
  if palette.AGENTS[0] not in colours:
    return []
  agents = zip(grid_colours.AGENTS, palette.AGENTS, strict=False)
  pairs = {
    **render.SHOWN,
    **{f'agent {i}': (x, palette.rgb(y)) for i, (x, y) in enumerate(agents)},
  }
  key = [
    {'name': name, 'seen': palette.text(seen), 'shown': palette.text(shown)}
    for name, (seen, shown) in pairs.items()
  ]
  return [each for each in key if each['shown'] in colours]


def _agents(played: episode_record.EpisodeRecord) -> list[list[Any]]:
  """Returns the rows of what each agent got, did and said."""
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
  return rows


def _traces(
  played: episode_record.EpisodeRecord,
  influence: np.ndarray,
  peaks: Sequence[influence_peaks.Peak],
  noise: float,
) -> list[charts.Chart]:
  """Returns a chart of each agent's influence on all others, on one scale."""
  total = np.nansum(influence, axis=-1)  # [T, N]
  top, last = max(1.15 * float(total.max()), 5 * noise), max(len(total) - 1, 1)
  # Of each pixel the highest step, so that no peak is lost.
  bins = np.array_split(np.arange(len(total)), min(len(total), _MOST_BINS))
  drawn = []
  colours = palette.of_agents(played.agent_ids)
  for i, agent_id in enumerate(played.agent_ids):
    steps = np.array([part[total[part, i].argmax()] for part in bins])
    marks = [
      (
        charts.WIDTH * peak.step / last,
        charts.HEIGHT * (1 - total[peak.step, i] / top),
        number,
      )
      for number, peak in enumerate(peaks, 1)
      if peak.influencer == i
    ]
    drawn.append(
      charts.chart(
        names([agent_id])[0],
        [charts.Line('influence', colours[agent_id], steps, total[steps, i])],
        unit=f'nats, mean {total[:, i].mean():.2g}',
        x_title='step of the episode',
        limits=(0.0, top),
        x_max=last,
        is_episode=True,
        rule=charts.HEIGHT * (1 - noise / top),
        marks=marks,
      )
    )
  return drawn


def _moment(
  played: episode_record.EpisodeRecord,
  peak: influence_peaks.Peak,
  variant: variants_lib.VariantName,
) -> dict[str, Any]:
  """Returns who did or said what at a peak, and what the other then did."""
  # Influence of actions within a step shows in that step, and not in the next.
  own = variant if isinstance(variant, str) else variant[peak.influencer]
  at_once = own in variants_lib.names(experiment='basic')
  answered, who = peak.step + (not at_once), names(played.agent_ids)
  is_over = answered >= len(played.actions)
  said = played.messages
  return {
    'step': peak.step,
    'influencer': who[peak.influencer],
    'influenced': who[peak.influenced],
    'nats': peak.influence,
    'at_once': at_once,
    'did': _action(played, played.actions[peak.step, peak.influencer]),
    'said': None if said is None else said[peak.step, peak.influencer],
    'reply': ''
    if is_over
    else _action(played, played.actions[answered, peak.influenced]),
  }


def _action(played: episode_record.EpisodeRecord, action: int) -> str:
  """Returns what people call an action."""
  shown = played.action_names
  return shown[action] if shown else f'action {action}'
