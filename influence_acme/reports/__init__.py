"""Runs and sweeps on one page of HTML each.

    python -m influence_acme.reports DIRECTORY

writes `report.html` into the directory of a run, or of a sweep and of each of
its runs. A page holds its pictures, so that it can be sent as one file.

- `write`: the same, from Python.
"""

from influence_acme import compat as _compat  # noqa: F401  Before acme.jax.

# isort: split

from influence_acme.reports.writer import write

__all__ = ('write',)
