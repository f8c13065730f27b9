"""The rows of the benchmark, and how they are printed."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from benchmarks import timing


@dataclasses.dataclass(frozen=True)
class Row:
  """One measurement.

  Attributes:
    name: what was measured.
    cores: that it could run on.
    unit: of the values.
    median: of the repeats.
    min: the lowest.
    max: the highest.
    repeats: how many there are.
    gemm_fraction: which share of the GEMM rate of as many cores the network's
      operations make; None where there are none.
    cores_used: how many cores were busy, on average; None if unknown.
    start_up_seconds: to the first learner step; None but for whole runs.
    peak_memory_bytes: resident, of all processes together.
    others_share: of the machine's time, which others took meanwhile.
  """

  name: str
  cores: int
  unit: str
  median: float
  min: float
  max: float
  repeats: int
  gemm_fraction: float | None = None
  cores_used: float | None = None
  start_up_seconds: float | None = None
  peak_memory_bytes: int | None = None
  others_share: float | None = None


def make_row(
  name: str, cores: int, unit: str, values: Sequence[float], **fields: Any
) -> Row:
  """Makes the row of repeated measurements.

  Args:
    name: what was measured.
    cores: that it could run on.
    unit: of the values.
    values: of the repeats.
    **fields: the other ones of `Row`.
  """
  return Row(name, cores, unit, **timing.summarise(values), **fields)


def format_header() -> str:
  """Returns the first line of the table."""
  return (
    f'{"":<34} {"cores":>5} {"median":>9} {"min":>9} {"max":>9} {"":<8}'
    f'{"of GEMM":>8} {"cores used":>11} {"GiB":>5} {"start":>6} {"others":>7}'
  )


def format_row(row: Row) -> str:
  """Returns a line of the table: a field that is None stays blank."""
  median, low, high = map(_number, (row.median, row.min, row.max))
  memory = row.peak_memory_bytes
  return (
    f'{row.name:<34} {row.cores:>5} {median:>9} {low:>9} {high:>9} '
    f'{row.unit:<8}{_or_blank(row.gemm_fraction, ".1%"):>8} '
    f'{_or_blank(row.cores_used, ".2f"):>11} '
    f'{_or_blank(memory and memory / 2**30, ".2f"):>5} '
    f'{_or_blank(row.start_up_seconds, ".0f"):>6} '
    f'{_or_blank(row.others_share, ".0%"):>7}'
  ).rstrip()


def _number(value: float) -> str:
  """Returns a number of about three digits."""
  for factor, letter in ((1e9, 'G'), (1e6, 'M')):
    if abs(value) >= factor:
      return f'{value / factor:,.1f} {letter}'
  return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.3g}'


def _or_blank(value: float | None, spec: str) -> str:
  return '' if value is None else format(value, spec)
