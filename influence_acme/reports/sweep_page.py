"""The page of a sweep, and of each of its runs."""

from influence_acme.reports import diagrams, episode, page, run_page
from influence_acme.reproduction import behaviour, influenced, report
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import run_dir


def write(sweep: sweep_lib.Sweep) -> None:
  """Writes the pages of a sweep and of its runs, over those that are there.

  Args:
    sweep: finished or not; at least one of its runs has begun.
  """
  begun = [run for run in sweep.runs() if run.directory.config_path.exists()]
  for run in begun:
    run_page.write(run.directory)
  results = results_lib.load(sweep)
  groups = results_lib.by_setting(results)
  state, _ = report.progress(sweep, results)
  content = page.render(
    title=f'Experiment {sweep.experiment} in {sweep.game}',
    lead=f'{sweep.directory.name}: {state}',
    sections=[
      page.Section('Learning curves', _curves(sweep, groups)),
      page.Section(
        'Final returns beside the paper’s',
        page.table(
          report.FINAL_HEADER,
          report.final_rows(sweep, groups),
          report.FINAL_NOTE,
        ),
      ),
      page.Section(
        'Equality, consistency and coordination',
        page.table(behaviour.HEADER, behaviour.rows(groups), behaviour.NOTE),
      ),
      page.Section(
        'Lazy agents',
        page.paragraph(report.LAZY_NOTE)
        + page.bullets(report.lazy_agents(results)),
      ),
      page.Section(
        'Influence and reward',
        page.paragraph(influenced.NOTE)
        + page.bullets(influenced.lines(groups)),
      ),
      page.Section('Runs', _runs(sweep, begun, results)),
      page.Section('Who influences whom', _matrices(begun)),
    ],
  )
  directory = run_dir.RunDirectory(sweep.directory)
  directory.report_path.write_text(content, encoding='utf-8')


def _curves(sweep: sweep_lib.Sweep, groups: results_lib.Groups) -> str:
  """Returns the mean curves of the variants' best settings."""
  if not groups:
    return page.paragraph('No run is finished yet.')
  body = page.paragraph(
    'Means over seeds, whose number stands behind the variant, with bands of '
    f'their intervals. {report.FINISHED_NOTE}'
  )
  body += _panels(report.best_settings(groups, 1))
  if sweep.search:
    body += page.heading(f'The best {report.NUM_BEST} settings of each variant')
    body += _panels(report.best_settings(groups, report.NUM_BEST))
  return body


def _panels(groups: dict[str, list[results_lib.Result]]) -> str:
  pictures = []
  for column, title in report.PANELS.items():
    figure, axes = diagrams.make()
    report.draw_panel(axes, column, groups)
    description = f'{title} of each variant over environment steps'
    pictures.append(page.image(diagrams.to_png(figure), 'png', description))
  return page.grid(pictures)


def _runs(
  sweep: sweep_lib.Sweep,
  begun: list[sweep_lib.Run],
  results: list[results_lib.Result],
) -> str:
  """Returns a row for each run, with a link to its page."""
  by_name = {report.name(result.run): result for result in results}
  rows = []
  for run in begun:
    name = report.name(run)
    url = run.directory.report_path.relative_to(sweep.directory).as_posix()
    row: list[str] = [page.link(name, url)]
    if name in by_name:
      result = by_name[name]
      share = result.episode.get('influential_share')
      row += [
        f'{result.steps:,}',
        'finished' if result.is_finished else 'under way',
        f'{result.final_return:.1f}',
        'not measured' if share is None else f'{share:.1%}',
      ]
    else:
      row += ['0', 'under way', 'not logged', 'not measured']
    rows.append(row)
  return page.table(
    ('run', 'steps', 'state', 'collective return', 'influential steps'),
    rows,
    'Links lead to the pages beside this one.',
  )


def _matrices(begun: list[sweep_lib.Run]) -> str:
  """Returns the heat map of each run that has one."""
  maps = {report.name(run): episode.heat_map(run.directory) for run in begun}
  return ''.join(
    page.folded(name, body) for name, body in maps.items() if body
  ) or page.paragraph('No run has measured influence in an episode yet.')
