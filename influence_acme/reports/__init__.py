"""Runs and sweeps on one page of HTML each.

    python -m influence_acme.reports DIRECTORY...

writes `report.html` into the directory of a run, or of a sweep and of each of
its runs; of several runs, `comparison.html` beside them. A page needs nothing
but itself, so that it can be sent as one file.

- `write`: the same, from Python.
"""

from influence_acme.reports.writer import write

__all__ = ('write',)
