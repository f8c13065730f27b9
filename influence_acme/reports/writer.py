"""Writes the page of a run, of a sweep, or of several runs, by one template."""

import os
import pathlib
from typing import Any

import jinja2

from influence_acme.reports import charts, run_page, sweep_page
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import run_dir

COMPARISON_NAME = 'comparison.html'


def write(
  directory: str | os.PathLike[str], *others: str | os.PathLike[str]
) -> pathlib.Path:
  """Writes the page of a run or of a sweep, and replaces an older one.

  Args:
    directory: of a run, finished or not; or of a sweep, whose runs get their
      pages too.
    *others: directories of further runs, to be shown on one page with it; each
      gets its own, too.

  Returns:
    The path of the page: `report.html` in the directory; of several runs
    `comparison.html` in the directory that holds them all.

  Raises:
    FileNotFoundError: neither a run nor a sweep lies there.
    ValueError: a directory is named twice.
  """
  if others:
    return _compare([run_dir.RunDirectory(x) for x in (directory, *others)])
  run = run_dir.RunDirectory(directory)
  if not (run.path / sweep_lib.SWEEP_NAME).is_file():
    _write_run(run)
    return run.report_path
  sweep = sweep_lib.find(run.path)
  begun = {
    each: _write_run(each.directory)
    for each in sweep.runs()
    if each.directory.config_path.is_file()
  }
  _render(run.report_path, sweep_page.describe(sweep, begun))
  return run.report_path


def _write_run(run: run_dir.RunDirectory) -> run_page.Loaded:
  """Writes the page of one run, and returns what lies in it."""
  if not run.config_path.is_file():
    what = 'has neither' if run.path.is_dir() else 'is no directory, so without'
    raise FileNotFoundError(
      f'{run.path} {what} {run.config_path.name} of a run nor '
      f'{sweep_lib.SWEEP_NAME} of a sweep: name the directory that a run or '
      'examples/reproduce.py wrote (its --run_dir, or --sweep_dir).'
    )
  loaded = run_page.load(run)
  _render(run.report_path, run_page.describe(loaded))
  return loaded


def _compare(runs: list[run_dir.RunDirectory]) -> pathlib.Path:
  """Writes the pages of several runs, and one of them all."""
  paths = [run.path.resolve() for run in runs]
  if len({*paths}) < len(paths):
    raise ValueError(f'A run is named twice: {", ".join(map(str, paths))}.')
  common = pathlib.Path(os.path.commonpath(paths))
  loaded, links = {}, {}
  for run, path in zip(runs, paths, strict=True):
    place = path.relative_to(common)
    name = place.as_posix() if place.parts else path.name
    loaded[name] = _write_run(run)
    links[name] = (place / run.report_path.name).as_posix()
  _render(common / COMPARISON_NAME, run_page.compare(loaded, links))
  return common / COMPARISON_NAME


def _render(path: pathlib.Path, page: dict[str, Any]) -> None:
  """Writes a page of HTML; all text in it is escaped."""
  environment = jinja2.Environment(
    loader=jinja2.PackageLoader('influence_acme.reports'),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
  )
  size = {'width': charts.WIDTH, 'height': charts.HEIGHT}
  text = environment.get_template('page.html').render(**page, **size)
  path.write_text(text, encoding='utf-8')
