"""Writes down why a part of a run failed."""

import contextlib
import pathlib
import sys
import traceback
from collections.abc import Iterator


@contextlib.contextmanager
def optional(what: str) -> Iterator[None]:
  """Says that the writing of a part of a run's results failed, and goes on."""
  try:
    yield
  except Exception as error:  # noqa: BLE001  The run itself has not failed.
    print(
      f'{what} is not written: {type(error).__name__}: {error}',
      file=sys.stderr,
      flush=True,
    )


def report_failure(
  path: pathlib.Path, name: str, summary: str, details: str = ''
) -> None:
  """Adds a line on a part of a run, and details, to the file of failures."""
  summary = summary.strip().splitlines()[0]
  text = f'{name} failed: {summary}\n\n{details}\n'
  try:
    with open(path, 'a', encoding='utf-8') as file:
      file.write(text)
  except OSError:  # The disk may be the cause.
    print(text, file=sys.stderr, flush=True)


def report_exception(
  path: pathlib.Path, name: str, error: BaseException
) -> None:
  """Adds an exception, with its traceback, to the failures of a run."""
  summary = ''.join(traceback.format_exception_only(type(error), error))
  details = ''.join(traceback.format_exception(error))
  report_failure(path, name, summary, details)
