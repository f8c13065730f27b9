"""Gathers the page of a sweep, with links to those of its runs."""

from collections.abc import Mapping
from typing import Any

from influence_acme import palette
from influence_acme.reports import charts, episode, run_page
from influence_acme.reproduction import report, tables
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib


def describe(
  sweep: sweep_lib.Sweep, begun: Mapping[sweep_lib.Run, run_page.Loaded]
) -> dict[str, Any]:
  """Returns the page of a sweep, and of its runs that have begun."""
  results = results_lib.load(sweep)
  groups = results_lib.by_setting(results)
  best = {'': 1} if groups else {}
  if groups and sweep.search:
    best[f'The best {report.NUM_BEST} settings of each variant'] = (
      report.NUM_BEST
    )
  maps = {
    run.name: episode.influence_map(each.source, each.played)
    for run, each in begun.items()
  }
  by_name = {result.run.name: result for result in results}
  return {
    'title': f'Experiment {sweep.experiment} in {sweep.game}',
    'lead': f'{sweep.directory.name}: {report.progress(sweep, results)[0]}',
    'sweep': {
      'finished_note': report.FINISHED_NOTE,
      'best': {
        title: _panels(report.best_settings(groups, count))
        for title, count in best.items()
      },
      'parts': tables.make(sweep, results),
      'runs': [_row(sweep, run, by_name.get(run.name)) for run in begun],
      'maps': {name: found for name, found in maps.items() if found},
    },
  }


def _panels(groups: dict[str, list[results_lib.Result]]) -> dict[str, Any]:
  """Returns the mean curves of variants, and their legend."""
  drawn = []
  legend: dict[str, str] = {}
  for column, title in report.PANELS.items():
    found = report.mean_curves(column, groups)
    colours = palette.of_agents(found.lines)
    legend |= colours
    lines = [
      charts.Line(
        label, colours[label], x.steps, x.mean, half_width=x.half_width
      )
      for label, x in found.lines.items()
    ]
    if lines:
      drawn.append(charts.chart(title, lines, limits=found.limits))
  return {'legend': legend, 'charts': drawn}


def _row(
  sweep: sweep_lib.Sweep, run: sweep_lib.Run, result: results_lib.Result | None
) -> list[Any]:
  """Returns a run with a link to its page, and how far it is."""
  url = run.directory.report_path.relative_to(sweep.directory).as_posix()
  link = {'text': run.name, 'url': url}
  if result is None:
    return [link, '0', 'under way', 'not logged', 'not measured']
  share = result.episode.get('influential_share')
  return [
    link,
    f'{result.steps:,}',
    'finished' if result.is_finished else 'under way',
    f'{result.final_return:.1f}',
    'not measured' if share is None else f'{share:.1%}',
  ]
