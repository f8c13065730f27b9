"""Describes the page of one run, and of several beside each other."""

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme.reports import charts, episode, summary
from influence_acme.runs import curves, episode_record, plot_specs, run_dir

Sections = dict[str, list[episode.Block]]
_NOTHING_LOGGED = (
  'Nothing was logged yet: a run writes its first row when its first episode '
  'ends.'
)


@dataclasses.dataclass(frozen=True)
class Loaded:
  """Holds what lies in a run's directory.

  Attributes:
    run: the directory.
    record: its `config.json`.
    series: its logs.
    source: the directory of its episode.
    played: its episode; None if that was not kept.
  """

  run: run_dir.RunDirectory
  record: Mapping[str, Any]
  series: dict[str, curves.Series]
  source: run_dir.RunDirectory
  played: episode_record.EpisodeRecord | None

  @property
  def steps(self) -> int:
    """The environment steps that the logs reach."""
    return int(max((x.steps[-1] for x in self.series.values()), default=0))

  @property
  def variants(self) -> tuple[str, ...]:
    """The variants of the population, each once; none if not known."""
    found = self.setting('variant') or []
    return tuple(dict.fromkeys([found] if isinstance(found, str) else found))

  def setting(self, *names: str) -> Any:
    """Returns the first of some settings that was written down, or None."""
    config = self.record['config']
    agent = config.get('agent')
    places = (config, agent if isinstance(agent, dict) else {})
    found = (place.get(name) for name in names for place in places)
    return next((value for value in found if value is not None), None)

  def settings(self) -> dict[str, Any]:
    """Returns all settings, those of records as 'record.name'."""
    flat: dict[str, Any] = {}
    for name, value in self.record['config'].items():
      if isinstance(value, dict):
        flat |= {f'{name}.{key}': inner for key, inner in value.items()}
      else:
        flat[name] = value
    return flat


def load(run: run_dir.RunDirectory) -> Loaded:
  """Reads a run, finished or not; it has at least its `config.json`."""
  record = json.loads(run.config_path.read_text(encoding='utf-8'))
  source = episode.find(run)
  return Loaded(
    run, record, curves.load(run.logs), source, episode_record.read(source)
  )


def describe(loaded: Loaded) -> dict[str, Any]:
  """Returns the page of one run, for the template."""
  columns = [
    summary.at_end(loaded.series),
    summary.of_episode(loaded.played),
  ]
  short = [
    _table(('', 'end of training', 'filmed episode'), summary.rows(columns))
  ]
  short[0]['caption'] = summary.NOTE
  if loaded.run.failure_path.exists():
    failure = loaded.run.failure_path.read_text(encoding='utf-8')
    text = 'A part of the run has failed:'
    short = [{'kind': 'text', 'text': text}, _verbatim(failure), *short]
  sections: Sections = {
    'In short': short,
    'Learning curves': _curves(loaded),
    **episode.sections(loaded.source, loaded.played, loaded.variants),
    'Settings': _settings(loaded),
  }
  seed = loaded.setting('seed')
  return {
    'title': ' and '.join(loaded.variants or ['agents of an unnamed variant'])
    + f' in {loaded.setting("environment", "game") or "an unnamed environment"}'
    + (f', seed {seed}' if seed is not None else '')
    + f', {loaded.steps:,} steps',
    'lead': _lead(loaded),
    'sections': sections,
  }


def compare(
  runs: Mapping[str, Loaded], links: Mapping[str, str]
) -> dict[str, Any]:
  """Returns the page of several runs, for the template.

  Args:
    runs: by their names.
    links: name -> address of the run's own page.
  """
  colours = curves.agent_colours(f'/{x}' for x in runs)
  columns = [summary.at_end(each.series) for each in runs.values()]
  settings = {name: each.settings() for name, each in runs.items()}
  every = dict.fromkeys(key for each in settings.values() for key in each)
  rows = [
    [key, *(each.get(key, '–') for each in settings.values())] for key in every
  ]
  differing = [row for row in rows if any(x != row[1] for x in row[2:])]
  maps: list[episode.Block] = []
  for name, each in runs.items():
    found = episode.influence_map(each.source, each.played)
    maps += [{'kind': 'heading', 'text': name}, found] if found else []
  pages = [{'text': name, 'url': links[name]} for name in runs]
  return {
    'title': f'{len(runs)} runs: ' + ', '.join(runs),
    'lead': 'Means over the agents of each run; apples, waste, beams and fines '
    'are of all agents together.',
    'sections': {
      'At the end of training': [
        _table(('', *pages), summary.rows(columns)) | {'caption': summary.NOTE}
      ],
      'Learning curves': _comparison(runs, colours),
      'Settings that differ': [_table(('', *runs), differing)],
      'Who influences whom': maps
      or [{'kind': 'text', 'text': 'No influence was measured in an episode.'}],
    },
  }


def _lead(loaded: Loaded) -> str:
  """Returns where the run lies, and how far it is."""
  record = loaded.record
  started = datetime.datetime.fromisoformat(record['started'])
  asked = record['config'].get('num_steps')
  reached = f'{loaded.steps:,}' + (f' of {asked:,}' if asked else '')
  state = f'its logs reach {reached} environment steps'
  if loaded.run.failure_path.exists():
    state = f'failed; {state}'
  if record['resumed']:
    state += f'; resumed times: {len(record["resumed"])}'
  return f'{loaded.run.path.name}: started {started:%Y-%m-%d %H:%M}; {state}.'


def _curves(loaded: Loaded) -> list[episode.Block]:
  """Returns the learning curves of a run, by groups."""
  series = curves.without_debts(loaded.series)
  found = {x: curves.lines_of(x, series) for x in plot_specs.PANELS}
  agents = curves.agent_colours(x for lines in found.values() for x in lines)
  colours = dict(zip(episode.names(list(agents)), agents.values(), strict=True))
  drawn = {}
  for panel, lines in found.items():
    if lines:
      # An agent's name, or, of what is the group's, that of the chart.
      names = [x.partition('/')[2] or panel.title for x in lines]
      labelled = dict(zip(episode.names(names), lines.values(), strict=True))
      drawn[panel] = charts.panel(panel, labelled, colours, loaded.steps)
  return _by_group(drawn, colours)


def _comparison(
  runs: Mapping[str, Loaded], colours: Mapping[str, str]
) -> list[episode.Block]:
  """Returns the learning curves of several runs, one line each."""
  series = {
    name: curves.without_debts(each.series) for name, each in runs.items()
  }
  drawn = {}
  for panel in plot_specs.PANELS:
    found = {
      name: _merge(list(lines.values()), is_sum=panel.is_count)
      for name, each in series.items()
      if (lines := curves.lines_of(panel, each))
    }
    if found:
      most = max(each.steps for each in runs.values())
      drawn[panel] = charts.panel(panel, found, dict(colours), most)
  return _by_group(drawn, colours)


def _merge(lines: Sequence[curves.Series], *, is_sum: bool) -> curves.Series:
  """Returns the mean over agents at each step that was logged, or the sum."""
  steps, index = np.unique(
    np.concatenate([each.steps for each in lines]), return_inverse=True
  )
  values = np.concatenate([each.values for each in lines])
  means = np.bincount(index, values) / np.bincount(index)
  return curves.Series(steps, means * len(lines) if is_sum else means)


def _by_group(
  drawn: Mapping[plot_specs.Panel, charts.Chart], legend: Mapping[str, str]
) -> list[episode.Block]:
  """Returns charts under the titles of their groups, below one legend."""
  if not drawn:
    return [{'kind': 'text', 'text': _NOTHING_LOGGED}]
  blocks: list[episode.Block] = [{'kind': 'legend', 'colours': legend}]
  for group in dict.fromkeys(panel.group for panel in drawn):
    found = [chart for panel, chart in drawn.items() if panel.group == group]
    blocks.append({'kind': 'heading', 'text': group})
    blocks.append({'kind': 'charts', 'charts': found})
  return blocks


def _settings(loaded: Loaded) -> list[episode.Block]:
  """Returns all that the run was started with, and the versions."""
  record = loaded.record
  versions = [('python', record['python']), *record['versions'].items()]
  folded = {
    'All settings': _table(('name', 'value'), list(loaded.settings().items())),
    'Versions': _table(('package', 'version'), versions),
    'Command': _verbatim(' '.join(record['command'])),
    **{
      f'Resumed {entry["started"]}': _verbatim(
        json.dumps(entry['changed'], indent=2)
      )
      for entry in record['resumed']
    },
  }
  return [
    {'kind': 'folded', 'title': title, 'blocks': [block]}
    for title, block in folded.items()
  ]


def _table(header: Sequence[Any], rows: Sequence[Any]) -> episode.Block:
  return {'kind': 'table', 'header': header, 'rows': rows, 'caption': ''}


def _verbatim(text: str) -> episode.Block:
  return {'kind': 'verbatim', 'text': text}
