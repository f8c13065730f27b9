"""Shows on the terminal how a run goes, from the logs that it writes.

Reading the logs works the same however the run was launched, and takes nothing
from it but a few milliseconds a second.
"""

import collections
import dataclasses
import datetime
import itertools
import pathlib
import threading
import time
import types
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging
from rich import console as console_lib
from rich import live, progress_bar, table

from influence_acme.runs import csv_log, run_dir

_TABLE_SECONDS = 1.0
_LINE_SECONDS = 10.0
_TAIL_BYTES = 64 * 1024  # That are read of each log.
_NUM_EPISODES = 20  # That returns are averaged over.
_NUM_UPDATES = 20  # That the learner's values are averaged over.
_RATE_SECONDS = 60.0  # That the speed is averaged over.


@dataclasses.dataclass(frozen=True)
class Status:
  """Holds the progress of a run; None for values that are not logged yet.

  Attributes:
    steps: environment steps.
    collective_return: of an episode, mean over the last ones of each actor.
    returns: agent id -> its return, likewise.
    influence: mean over agents and the last updates, in nats per step.
    moa_accuracy: of the MOA, in [0, 1], likewise.
  """

  steps: int = 0
  collective_return: float | None = None
  returns: dict[str, float] = dataclasses.field(default_factory=dict)
  influence: float | None = None
  moa_accuracy: float | None = None


def read_status(*log_directories: pathlib.Path) -> Status:
  """Reads how far a run is, or the runs of several seeds, side by side.

  Their CSV logs may be being written. Of several runs there are the steps of
  the one that is least far, and means over all.
  """
  by_run = [
    [
      csv_log.read_log(path, max_bytes=_TAIL_BYTES)
      for path in sorted(directory.glob('*.csv'))
    ]
    for directory in log_directories
  ]
  tails = list(itertools.chain(*by_run))
  steps = [
    max((next(iter(x.values()))[-1] for x in of_run if x), default=0)
    for of_run in by_run
  ]
  prefix = 'episode_return/'
  names = dict.fromkeys(
    x for x in itertools.chain(*tails) if x.startswith(prefix)
  )
  returns = {
    name.removeprefix(prefix): _mean(tails, name, _NUM_EPISODES)
    for name in names
  }
  return Status(
    steps=int(min(steps)),
    collective_return=_mean(tails, 'collective_return', _NUM_EPISODES),
    returns={k: v for k, v in returns.items() if v is not None},
    influence=_mean(tails, 'influence', _NUM_UPDATES),
    moa_accuracy=_mean(tails, 'moa_accuracy', _NUM_UPDATES),
  )


def _mean(
  tails: list[dict[str, np.ndarray]], name: str, num_rows: int
) -> float | None:
  """Averages the last rows of a column, and of its parts, over all logs."""
  numbers = [
    values[~np.isnan(values)][-num_rows:]
    for tail in tails
    for column, values in tail.items()
    if column == name or column.startswith(f'{name}/')
  ]
  joined = np.concatenate([np.empty(0), *numbers])
  return float(joined.mean()) if joined.size else None


class Speedometer:
  """Measures the speed of a run over the last minute.

  Between two readings at which the steps had changed: they may come episode by
  episode, and do not begin before everything is compiled.
  """

  def __init__(self) -> None:
    self._steps: int | None = None
    self._changes: collections.deque[tuple[float, int]] = collections.deque()

  def update(self, now: float, steps: int) -> float | None:
    """Takes the steps so far at a time in seconds.

    Returns:
      Steps per second, or None before the steps have changed twice.
    """
    if self._steps is not None and steps > self._steps:
      self._changes.append((now, steps))
    elif self._steps is not None and steps < self._steps:
      self._changes.clear()  # A resumed run went back to its checkpoint.
    self._steps = steps
    changes = self._changes
    while len(changes) > 2 and now - changes[0][0] > _RATE_SECONDS:
      changes.popleft()
    if len(changes) < 2:
      return None
    (start, first), (end, last) = changes[0], changes[-1]
    return (last - first) / (end - start)


def describe(
  status: Status, num_steps: int, rate: float | None
) -> dict[str, str]:
  """Returns what is shown -> its value, in order, as far as it is known."""
  part = min(status.steps / max(num_steps, 1), 1.0)
  words = {'steps': f'{status.steps:,} of {num_steps:,} ({part:.0%})'}
  if rate is not None:
    seconds = max(num_steps - status.steps, 0) / rate
    words['speed'] = f'{rate:,.0f} steps/s'
    words['time left'] = str(datetime.timedelta(seconds=round(seconds)))
  if status.collective_return is not None:
    words['collective return'] = f'{status.collective_return:.1f}'
  for agent, episode_return in status.returns.items():
    words[agent] = f'{episode_return:.1f}'
  if status.influence is not None:
    words['influence'] = f'{status.influence:.3g} nats/step'
  if status.moa_accuracy is not None:
    words['MOA accuracy'] = f'{status.moa_accuracy:.0%}'
  return words


class Progress:
  """Shows how a run goes while the `with` block is in it.

  A table that is renewed every second on a terminal, else a line every ten
  seconds. Whatever goes wrong in showing, the run goes on.
  """

  def __init__(
    self,
    runs: Sequence[run_dir.RunDirectory],
    num_steps: int,
    console: console_lib.Console | None = None,
  ):
    """Sets the display up, on stdout by default; entering starts it."""
    self._runs = runs
    self._num_steps = num_steps
    self._console = console or console_lib.Console()
    self._speedometer = Speedometer()
    self._stop = threading.Event()
    self._thread = threading.Thread(
      target=self._show, name='progress', daemon=True
    )

  def __enter__(self) -> 'Progress':
    self._thread.start()
    return self

  def __exit__(
    self,
    exc_type: type[BaseException] | None,
    exc: BaseException | None,
    traceback: types.TracebackType | None,
  ) -> None:
    self._stop.set()
    self._thread.join(timeout=5)

  def _show(self) -> None:
    """Runs in a thread until the block ends."""
    try:
      if self._console.is_terminal:
        self._show_table()
      else:
        self._show_lines()
    except Exception:  # noqa: BLE001  A display must not end a run.
      logging.exception('The progress is not shown any more.')

  def _show_table(self) -> None:
    display = live.Live(console=self._console, auto_refresh=False)
    with display:
      # A killed process could not give it back.
      self._console.show_cursor(True)
      for status, rate in self._readings(_TABLE_SECONDS):
        words = describe(status, self._num_steps, rate)
        rows = table.Table.grid(padding=(0, 2))
        bar = progress_bar.ProgressBar(self._num_steps, status.steps, width=50)
        rows.add_row('', bar)
        for name, value in words.items():
          rows.add_row(name, value)
        display.update(rows, refresh=True)

  def _show_lines(self) -> None:
    for status, rate in self._readings(_LINE_SECONDS):
      words = describe(status, self._num_steps, rate)
      line = ' | '.join(f'{name} {value}' for name, value in words.items())
      print(line, file=self._console.file, flush=True)

  def _readings(self, seconds: float) -> Iterator[tuple[Status, float | None]]:
    """Yields the status and speed every so often, and once at the end."""
    stopped = False
    while not stopped:
      stopped = self._stop.wait(seconds)
      status = read_status(*(run.logs for run in self._runs))
      yield status, self._speedometer.update(time.monotonic(), status.steps)
