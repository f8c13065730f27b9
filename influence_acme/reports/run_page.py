"""Gathers the page of one run, and that of several beside each other."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme import palette
from influence_acme.reports import charts, episode, summary
from influence_acme.runs import (
  config_file,
  curves,
  episode_record,
  plot_specs,
  run_dir,
)


@dataclasses.dataclass(frozen=True)
class Loaded:
  """Holds what lies in a run's directory.

  Attributes:
    run: the directory.
    record: its `config.json`.
    config: the settings of its last start.
    series: its logs.
    source: the directory of its episode.
    played: its episode; None if that was not kept.
  """

  run: run_dir.RunDirectory
  record: Mapping[str, Any]
  config: Mapping[str, Any]
  series: dict[str, curves.Series]
  source: run_dir.RunDirectory
  played: episode_record.EpisodeRecord | None

  @property
  def steps(self) -> int:
    """The environment steps that the logs reach."""
    return int(max((x.steps[-1] for x in self.series.values()), default=0))

  @property
  def settings(self) -> dict[str, Any]:
    """All settings, those of records as 'record.name'."""
    flat: dict[str, Any] = {}
    for name, value in self.config.items():
      inner = value if isinstance(value, dict) else {}
      flat |= {f'{name}.{key}': x for key, x in inner.items()} or {name: value}
    return flat

  def setting(self, *names: str) -> Any:
    """Returns the first of some settings that was written down, or None."""
    keys = (key for x in names for key in (x, f'agent.{x}'))
    return next(
      (x for x in map(self.settings.get, keys) if x is not None), None
    )


def load(run: run_dir.RunDirectory) -> Loaded:
  """Reads a run, finished or not; it has at least its `config.json`.

  Raises:
    OSError: a file cannot be read.
    ValueError: its `config.json` is not the configuration of a run.
  """
  source = episode.find(run)
  return Loaded(
    run=run,
    record=config_file.read(run.config_path),
    config=config_file.last_settings(run.config_path),
    series=curves.load(run.logs),
    source=source,
    played=episode_record.read(source),
  )


def describe(loaded: Loaded) -> dict[str, Any]:
  """Returns the page of one run, for the template."""
  record, failure = loaded.record, loaded.run.failure_path
  headline = loaded.run.headline_path
  named = loaded.setting('variant') or 'agents of an unnamed variant'
  variants = list(dict.fromkeys([named] if isinstance(named, str) else named))
  seed, asked = loaded.setting('seed'), loaded.setting('num_steps')
  game = loaded.setting('environment', 'game') or 'an unnamed environment'
  reached = f'{loaded.steps:,}' + (f' of {asked:,}' if asked else '')
  resumed = record['resumed']
  columns = [summary.at_end(loaded.series), summary.of_episode(loaded.played)]
  return {
    'title': f'{" and ".join(variants)} in {game}'
    + ('' if seed is None else f', seed {seed}')
    + f', {loaded.steps:,} steps',
    'lead': f'{loaded.run.path.name}: {_started(record)}; '
    + ('failed; ' if failure.exists() else '')
    + f'its logs reach {reached} environment steps'
    + (f'; resumed times: {len(resumed)}.' if resumed else '.'),
    'headline': headline.read_text('utf-8') if headline.exists() else '',
    'run': {
      'failure': failure.read_text('utf-8') if failure.exists() else None,
      'summary': summary.rows(columns),
      'curves': _curves(loaded),
      'settings': loaded.settings,
      'record': record,
    },
    'episode': episode.describe(loaded.source, loaded.played, named),
  }


def _started(record: Mapping[str, Any]) -> str:
  """Returns when a run was started, in words."""
  try:
    time = datetime.datetime.fromisoformat(record['started'])
  except (KeyError, TypeError, ValueError):
    return 'started at a time that is not recorded'
  return f'started {time:%Y-%m-%d %H:%M}'


def compare(
  runs: Mapping[str, Loaded], links: Mapping[str, str]
) -> dict[str, Any]:
  """Returns the page of several runs by name, with links to theirs."""
  settings = [each.settings for each in runs.values()]
  every = dict.fromkeys(key for each in settings for key in each)
  rows = [[key, *(each.get(key, '–') for each in settings)] for key in every]
  maps = {
    name: episode.influence_map(each.source, each.played)
    for name, each in runs.items()
  }
  return {
    'title': f'{len(runs)} runs: ' + ', '.join(runs),
    'lead': 'Means over the agents of each run; apples, waste, beams and fines '
    'are of all agents together.',
    'runs': {
      'names': list(runs),
      'links': [{'text': name, 'url': links[name]} for name in runs],
      'summary': summary.rows(
        [summary.at_end(each.series) for each in runs.values()]
      ),
      'curves': _comparison(runs),
      'settings': [row for row in rows if any(x != row[1] for x in row[2:])],
      'maps': {name: found for name, found in maps.items() if found},
    },
  }


def _curves(loaded: Loaded) -> dict[str, Any]:
  """Returns the learning curves of a run, a line for each agent."""
  found = {x: curves.lines_of(x, loaded.series) for x in plot_specs.PANELS}
  agents = palette.of_agents(
    curves.agents_of(x for lines in found.values() for x in lines)
  )
  lines = {}
  for panel, each in found.items():
    # An agent's name, or, of what is the group's, that of the chart.
    labels = episode.names(x.partition('/')[2] or panel.title for x in each)
    lines[panel] = dict(zip(labels, each.values(), strict=True))
  colours = dict(zip(episode.names(agents), agents.values(), strict=True))
  return _by_group(lines, colours, loaded.steps)


def _comparison(runs: Mapping[str, Loaded]) -> dict[str, Any]:
  """Returns the learning curves of several runs, a line for each."""
  lines = {
    panel: {
      name: _merge(list(found.values()), is_sum=panel.is_count)
      for name, each in runs.items()
      if (found := curves.lines_of(panel, each.series))
    }
    for panel in plot_specs.PANELS
  }
  colours = palette.of_agents(runs)
  return _by_group(lines, colours, max(each.steps for each in runs.values()))


def _merge(lines: Sequence[curves.Series], *, is_sum: bool) -> curves.Series:
  """Returns the mean over agents at each step that was logged, or the sum."""
  steps, index = np.unique(
    np.concatenate([each.steps for each in lines]), return_inverse=True
  )
  values = np.concatenate([each.values for each in lines])
  means = np.bincount(index, values) / np.bincount(index)
  return curves.Series(steps, means * len(lines) if is_sum else means)


def _by_group(
  lines: Mapping[plot_specs.Panel, dict[str, curves.Series]],
  colours: dict[str, str],
  last_step: int,
) -> dict[str, Any]:
  """Returns charts by the titles of their groups, and the legend of all."""
  groups: dict[str, list[charts.Chart]] = {}
  for panel, found in lines.items():
    if found:
      drawn = charts.panel(panel, found, colours, last_step)
      groups.setdefault(panel.group, []).append(drawn)
  return {'groups': groups, 'legend': colours}
