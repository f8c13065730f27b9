"""Writes the page of runs: `python -m influence_acme.reports DIRECTORY...`."""

import sys
from collections.abc import Sequence

from influence_acme import reports


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page of the directories in argv, after the program's name.

  Returns:
    The exit code: 2 if there is nothing to show, or it cannot be read.
  """
  argv = sys.argv if argv is None else argv
  if len(argv) < 2 or not all(argv[1:]):
    print(
      'Name one directory of a run or of a sweep, or several of runs:\n'
      '  make report RUN=runs/mine\n'
      '  python -m influence_acme.reports runs/mine runs/other',
      file=sys.stderr,
    )
    return 2
  try:
    print(reports.write(*argv[1:]))
  except (OSError, ValueError) as error:
    print(error, file=sys.stderr)
    return 2
  return 0


if __name__ == '__main__':
  sys.exit(main())
