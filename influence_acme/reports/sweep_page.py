"""Describes the page of a sweep, with links to those of its runs."""

from collections.abc import Mapping
from typing import Any

from influence_acme.reports import charts, episode, run_page
from influence_acme.reproduction import report
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import curves


def describe(
  sweep: sweep_lib.Sweep, begun: Mapping[sweep_lib.Run, run_page.Loaded]
) -> dict[str, Any]:
  """Returns the page of a sweep, for the template.

  Args:
    sweep: finished or not.
    begun: what lies in those of its runs that have begun.
  """
  results = results_lib.load(sweep)
  groups = results_lib.by_setting(results)
  state, _ = report.progress(sweep, results)
  maps = {
    run.name: episode.influence_map(each.source, each.played)
    for run, each in begun.items()
  }
  folded = [
    {'kind': 'folded', 'title': name, 'blocks': [found]}
    for name, found in maps.items()
    if found
  ]
  return {
    'title': f'Experiment {sweep.experiment} in {sweep.game}',
    'lead': f'{sweep.directory.name}: {state}',
    'sections': {
      'Learning curves': _curves(sweep, groups),
      **{
        part.title: [
          {
            'kind': 'table',
            'header': part.header,
            'rows': part.rows,
            'caption': part.note,
          }
          if part.header
          else {'kind': 'bullets', 'lines': part.rows, 'text': part.note}
        ]
        for part in report.parts(sweep, results)
      },
      'Runs': [_runs(sweep, begun, results)],
      'Who influences whom': folded
      or [_text('No run has measured influence in an episode yet.')],
    },
  }


def _text(text: str) -> episode.Block:
  return {'kind': 'text', 'text': text}


def _curves(
  sweep: sweep_lib.Sweep, groups: results_lib.Groups
) -> list[episode.Block]:
  """Returns the mean curves of the variants' best settings."""
  if not groups:
    return [_text('No run is finished yet.')]
  blocks = [
    _text(
      'Means over seeds, whose number stands behind the variant, with bands of '
      f'their intervals. {report.FINISHED_NOTE}'
    ),
    *_panels(report.best_settings(groups, 1)),
  ]
  if sweep.search:
    text = f'The best {report.NUM_BEST} settings of each variant'
    blocks.append({'kind': 'heading', 'text': text})
    blocks += _panels(report.best_settings(groups, report.NUM_BEST))
  return blocks


def _panels(groups: dict[str, list[results_lib.Result]]) -> list[episode.Block]:
  drawn = []
  legend: dict[str, str] = {}
  for column, title in report.PANELS.items():
    found = report.mean_curves(column, groups)
    if not found.lines:
      continue
    colours = curves.agent_colours(f'/{x}' for x in found.lines)
    legend |= colours
    lines = [
      charts.line(label, colours[label], steps, mean, half_width=half_width)
      for label, (steps, mean, half_width) in found.lines.items()
    ]
    drawn.append(charts.chart(title, lines, limits=found.limits))
  return [
    {'kind': 'legend', 'colours': legend},
    {'kind': 'charts', 'charts': drawn},
  ]


def _runs(
  sweep: sweep_lib.Sweep,
  begun: Mapping[sweep_lib.Run, run_page.Loaded],
  results: list[results_lib.Result],
) -> episode.Block:
  """Returns a row for each run, with a link to its page."""
  by_name = {result.run.name: result for result in results}
  rows = []
  for run in begun:
    name = run.name
    url = run.directory.report_path.relative_to(sweep.directory).as_posix()
    row = ['0', 'under way', 'not logged', 'not measured']
    if name in by_name:
      result = by_name[name]
      share = result.episode.get('influential_share')
      row = [
        f'{result.steps:,}',
        'finished' if result.is_finished else 'under way',
        f'{result.final_return:.1f}',
        'not measured' if share is None else f'{share:.1%}',
      ]
    rows.append([{'text': name, 'url': url}, *row])
  return {
    'kind': 'table',
    'header': (
      'run',
      'steps',
      'state',
      'collective return',
      'influential steps',
    ),
    'rows': rows,
    'caption': 'Links lead to the pages beside this one.',
  }
