"""Writes the page of whatever lies in a directory."""

import os
import pathlib

from influence_acme.reports import run_page, sweep_page
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import run_dir


def write(directory: str | os.PathLike[str]) -> pathlib.Path:
  """Writes the page of a run or of a sweep, over one that is there.

  Args:
    directory: of a run, finished or not; or of a sweep, whose runs get their
      pages too.

  Returns:
    The path of the page, `report.html` in the directory.

  Raises:
    FileNotFoundError: neither a run nor a sweep lies there.
  """
  run = run_dir.RunDirectory(directory)
  if run.config_path.is_file():
    run_page.write(run)
  elif (run.path / sweep_lib.SWEEP_NAME).is_file():
    sweep_page.write(sweep_lib.find(run.path))
  else:
    what = 'has neither' if run.path.is_dir() else 'is no directory, so without'
    raise FileNotFoundError(
      f'{run.path} {what} {run.config_path.name} of a run nor '
      f'{sweep_lib.SWEEP_NAME} of a sweep: name the directory that a run or '
      'examples/reproduce.py wrote (its --run_dir, or --sweep_dir).'
    )
  return run.report_path
