"""The page of one run."""

import datetime
import json
from typing import Any

from influence_acme.programs import evaluation
from influence_acme.reports import diagrams, episode, page, summary
from influence_acme.runs import curves as curves_lib
from influence_acme.runs import run_dir


def write(run: run_dir.RunDirectory) -> None:
  """Writes the page of a run, finished or not, over one that is there.

  Args:
    run: has at least its `config.json`.
  """
  record = json.loads(run.config_path.read_text(encoding='utf-8'))
  config = record['config']
  series = curves_lib.load(run.logs)
  played = evaluation.read(run)
  content = page.render(
    title=_title(config, series),
    lead=_lead(run, record, series),
    sections=[
      page.Section('In short', _short(run, series, played)),
      page.Section('Learning curves', _curves(series)),
      *episode.sections(run, played, _variants(config)),
      page.Section('Settings', _settings(record)),
    ],
  )
  run.report_path.write_text(content, encoding='utf-8')


def _setting(config: dict[str, Any], *names: str) -> Any:
  """Returns the first of some settings that was written down, or None."""
  agent = config.get('agent')
  places = (config, agent if isinstance(agent, dict) else {})
  found = (place.get(name) for name in names for place in places)
  return next((value for value in found if value is not None), None)


def _variants(config: dict[str, Any]) -> tuple[str, ...]:
  """Returns the variants of a population, each once; none if not known."""
  found = _setting(config, 'variant') or []
  return tuple(dict.fromkeys([found] if isinstance(found, str) else found))


def _title(config: dict[str, Any], series: dict[str, curves_lib.Series]) -> str:
  """Returns what was run, in the words that tell runs apart."""
  parts = [
    ' and '.join(_variants(config)) or 'agents of an unnamed variant',
    f'in {_setting(config, "environment", "game") or "an unnamed environment"}',
  ]
  seed = _setting(config, 'seed')
  return (
    ' '.join(parts)
    + (f', seed {seed}' if seed is not None else '')
    + f', {_steps(series):,} steps'
  )


def _lead(
  run: run_dir.RunDirectory,
  record: dict[str, Any],
  series: dict[str, curves_lib.Series],
) -> str:
  """Returns where the run lies, and how far it is."""
  started = datetime.datetime.fromisoformat(record['started'])
  asked = record['config'].get('num_steps')
  reached = f'{_steps(series):,}' + (f' of {asked:,}' if asked else '')
  state = f'its logs reach {reached} environment steps'
  if run.failure_path.exists():
    state = f'failed; {state}'
  if record['resumed']:
    state += f'; resumed times: {len(record["resumed"])}'
  return f'{run.path.name}: started {started:%Y-%m-%d %H:%M}; {state}.'


def _steps(series: dict[str, curves_lib.Series]) -> int:
  return int(max((each.steps[-1] for each in series.values()), default=0))


def _short(
  run: run_dir.RunDirectory,
  series: dict[str, curves_lib.Series],
  played: evaluation.EpisodeRecord | None,
) -> str:
  """Returns what the run came to, and why it failed if it did."""
  body = ''
  if run.failure_path.exists():
    failure = run.failure_path.read_text(encoding='utf-8')
    body = page.paragraph('A part of the run has failed:')
    body += page.verbatim(failure)
  return body + page.table(
    ('', 'end of training', 'filmed episode'),
    summary.rows(series, played),
    'Training: means over the last 5% of the steps that were logged. '
    'Influence, and influential steps: on others, by KL, in the filmed '
    'episode; in training what agents are paid for, by the measure of their '
    'reward and, with influencee_reward, also what they received. Apples, '
    'waste, beams and hits are of an episode and all agents together. Equality '
    'is undefined where no total is to share. '
    'Coordination is that of the pair with most of it; scrambled messages '
    'show how much of it is chance.',
  )


def _curves(series: dict[str, curves_lib.Series]) -> str:
  """Returns the learning curves."""
  colours, drawn = diagrams.curves(series)
  if not drawn:
    return page.paragraph(
      'Nothing was logged yet: a run writes its first row when its first '
      'episode ends.'
    )
  names = {name.replace('_', ' '): colour for name, colour in colours.items()}
  body = page.legend(names)
  for group, pictures in drawn.items():
    body += page.heading(group) + page.grid(
      page.image(picture, 'png', f'{title} over environment steps')
      for title, picture in pictures.items()
    )
  return body


def _settings(record: dict[str, Any]) -> str:
  """Returns all that the run was started with, and the versions."""
  flat: list[tuple[str, Any]] = []
  for name, value in record['config'].items():
    if isinstance(value, dict):
      flat += [(f'{name}.{key}', inner) for key, inner in value.items()]
    else:
      flat.append((name, value))
  versions = [('python', record['python']), *record['versions'].items()]
  parts = [
    page.folded('All settings', page.table(('name', 'value'), flat, '')),
    page.folded('Versions', page.table(('package', 'version'), versions, '')),
    page.folded('Command', page.verbatim(' '.join(record['command']))),
  ]
  parts += [
    page.folded(
      f'Resumed {entry["started"]}',
      page.verbatim(json.dumps(entry['changed'], indent=2)),
    )
    for entry in record['resumed']
  ]
  return ''.join(parts)
