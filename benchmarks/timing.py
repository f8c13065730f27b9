"""How work is timed: after a warm-up, to its very end, and again and again."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict


class Summary(TypedDict):
  """Repeats of one measurement.

  Attributes:
    median: of the repeats.
    min: the lowest.
    max: the highest.
    repeats: how many there are.
  """

  median: float
  min: float
  max: float
  repeats: int


def summarise(values: Sequence[float]) -> Summary:
  """Returns median and spread of at least one value."""
  return {
    'median': statistics.median(values),
    'min': min(values),
    'max': max(values),
    'repeats': len(values),
  }


class Rates(TypedDict):
  """Repeats of one measurement, of work a second.

  Attributes:
    rates: of each repeat.
    cores_used: seconds of this process on any core, per second.
  """

  rates: list[float]
  cores_used: float


def measure(work: Callable[[], float], repeats: int, seconds: float) -> Rates:
  """Measures how much is done in a second.

  Args:
    work: does some work, and returns how much it was when all of it is done,
      that of other threads and devices too. It is warm: it has compiled.
    repeats: how many measurements.
    seconds: of each one, at least; no call of `work` is cut short.
  """
  found = []
  wall, cpu = time.perf_counter(), time.process_time()
  for _ in range(repeats):
    start, amount, elapsed = time.perf_counter(), 0.0, 0.0
    while elapsed < seconds or not elapsed:
      amount += work()
      elapsed = time.perf_counter() - start
    found.append(amount / elapsed)
  cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
  return {'rates': found, 'cores_used': cpu / wall}


def merge(parts: Sequence[Rates]) -> Rates:
  """Joins repeats that were measured one by one."""
  return {
    'rates': [rate for part in parts for rate in part['rates']],
    'cores_used': statistics.mean(part['cores_used'] for part in parts),
  }


def first_call_seconds(work: Callable[[], object]) -> float:
  """Returns how much longer the first call takes than the second one."""
  times = [time.perf_counter()]
  for _ in range(2):
    work()
    times.append(time.perf_counter())
  return (times[1] - times[0]) - (times[2] - times[1])


def ratios(
  rates: Mapping[str, Sequence[float]], first: str
) -> dict[str, Summary]:
  """Compares variants with one of them, repeat by repeat.

  Args:
    rates: variant -> steps/s in each repeat.
    first: the variant that the others are compared with.

  Returns:
    Variant -> its speed, divided by that of the first in the same repeat.
  """
  return {
    variant: summarise(
      [own / other for own, other in zip(each, rates[first], strict=True)]
    )
    for variant, each in rates.items()
    if variant != first
  }
