"""Reads the results of a sweep's runs from their logs."""

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from influence_acme.reproduction import statistics
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.runs import checkpoint, config_file, curves

COLLECTIVE = 'collective_return'
FAIR = 'fair_return'
INFLUENCE = 'influence/'
# Of a run's steps: long enough that an agent that eats at all is seen to.
LATE_FRACTION = 0.1
_RETURN = 'episode_return/'
_APPLES = 'apples/'
# Curves are means over so many equal parts of a run.
_POINTS = 100
# What is told of a sweep. Of other columns, as losses, its runs have pages.
_COLUMNS = (
  COLLECTIVE,
  FAIR,
  'entropy',
  'equality',
  'influential_share',
  'speaker_consistency',
  'moa_loss',
  'moa_skill',
)
_PREFIXES = (
  _RETURN,
  _APPLES,
  INFLUENCE,
  'waste_cleaned/',
  'message_coordination',
  'action_coordination',
)


@dataclasses.dataclass(frozen=True)
class Result:
  """Holds the results of one run.

  Attributes:
    run: of the sweep.
    steps: environment steps that its logs reach.
    is_finished: whether its checkpoint has all of the steps asked for.
    series: what it logged, by column.
    episode: what an episode of the finished run showed; empty before.
    commit: of the code that began the run; '' if it is not known.
    wall_seconds: that learning took.
  """

  run: sweep_lib.Run
  steps: int
  is_finished: bool
  series: dict[str, curves.Series]
  episode: dict[str, Any]
  commit: str = ''
  wall_seconds: float = 0.0

  @property
  def final_return(self) -> float:
    """The collective return at the end, a mean."""
    return self.final(COLLECTIVE)

  @property
  def final_returns(self) -> dict[str, float]:
    """Each agent's return at the end, a mean, by agent id."""
    return {
      name.removeprefix(_RETURN): self.final(name)
      for name in self.series
      if name.startswith(_RETURN)
    }

  def final(self, column: str) -> float:
    """Returns the mean of a column at the end; NaN if it was not logged."""
    if column not in self.series:
      return np.nan
    return statistics.final_mean(self.series[column])

  def finals(self, prefix: str) -> list[float]:
    """Returns the means at the end of columns with a prefix."""
    return [self.final(name) for name in self.series if name.startswith(prefix)]

  def final_sum(self, prefix: str) -> float:
    """Returns the sum of `finals`; NaN if there are none."""
    found = self.finals(prefix)
    return sum(found) if found else np.nan

  @property
  def lazy_agents(self) -> list[str] | None:
    """The agents that collected no apple so far; None if none were logged.

    By the log's counts of apples, not by returns: who paid more in fines than
    it collected is not lazy. A row is the mean of the episodes that ended
    together, which is 0 only if an agent collected nothing in all of them.
    """
    return self._without_apples(1.0)

  @property
  def lazy_text(self) -> str:
    """Names `lazy_agents`, and those without an apple in the last part.

    So that one apple by chance clears nobody. '' if there are none.
    """
    lazy, lately = self.lazy_agents, self._without_apples(LATE_FRACTION)
    if lazy is None or lately is None:
      return 'not known, no apples were logged'
    late = f'in the last {LATE_FRACTION:.0%} of the steps'
    return ', '.join(a if a in lazy else f'{a} {late}' for a in lately)

  def _without_apples(self, fraction: float) -> list[str] | None:
    apples = {
      name.removeprefix(_APPLES): statistics.last_values(series, fraction)
      for name, series in self.series.items()
      if name.startswith(_APPLES)
    }
    if not apples:
      return None
    return sorted(agent for agent, own in apples.items() if not (own > 0).any())


# Variant -> setting -> results of all seeds.
Groups = dict[str, dict[str, list[Result]]]


def load(sweep: sweep_lib.Sweep) -> list[Result]:
  """Returns the results of runs that have logged an episode, in order."""
  results = []
  for run in sweep.runs():
    series = curves.load(run.directory.logs)
    if COLLECTIVE in series:
      path = run.directory.path / sweep_lib.EPISODE_NAME
      done = checkpoint.steps_done(run.directory.checkpoint_path) or 0
      results.append(
        Result(
          run,
          int(series[COLLECTIVE].steps[-1]),
          done >= sweep.num_steps,
          {
            name: statistics.thin(values, sweep.num_steps, _POINTS)
            for name, values in series.items()
            if name in _COLUMNS or name.startswith(_PREFIXES)
          },
          json.loads(path.read_text('utf-8')) if path.exists() else {},
          _commit(run.directory.config_path),
          _wall_seconds(series),
        )
      )
  return results


def by_setting(results: list[Result]) -> Groups:
  """Groups finished results: variant -> setting -> results, the best one first.

  Returns change with training, so that only runs that have all of it compare.
  The best setting has the highest mean final collective return.
  """
  groups: Groups = {}
  for result in results:
    if not result.is_finished:
      continue
    settings = groups.setdefault(result.run.variant, {})
    settings.setdefault(result.run.setting, []).append(result)
  return {
    variant: dict(
      sorted(
        settings.items(),
        # NaN is last: of a run that is too short to have ended an episode.
        key=lambda item: np.nan_to_num(
          -np.mean([r.final_return for r in item[1]]), nan=np.inf
        ),
      )
    )
    for variant, settings in groups.items()
  }


def _commit(config_path: pathlib.Path) -> str:
  if not config_path.exists():
    return ''
  return str(config_file.read(config_path).get('commit', ''))


def _wall_seconds(series: dict[str, curves.Series]) -> float:
  walltime = series.get('learner_walltime')
  return 0.0 if walltime is None else float(walltime.values.max().round())
