"""What the runs of a sweep came to, read from their logs."""

import dataclasses
import json
from typing import Any

import numpy as np

from influence_acme.programs import report
from influence_acme.reproduction import runner, statistics
from influence_acme.reproduction import sweep as sweep_lib

COLLECTIVE = 'collective_return'
FAIR = 'fair_return'
_RETURN = 'episode_return/'


@dataclasses.dataclass(frozen=True)
class Result:
  """What one run came to.

  Attributes:
    run: of the sweep.
    steps: environment steps that its logs reach.
    is_finished: whether its checkpoint has all of the steps asked for.
    series: what it logged, by column.
    episode: what an episode of the finished run showed; empty before.
  """

  run: sweep_lib.Run
  steps: int
  is_finished: bool
  series: dict[str, report.Series]
  episode: dict[str, Any]

  @property
  def final_return(self) -> float:
    """The collective return at the end, a mean."""
    return statistics.final_mean(self.series[COLLECTIVE])

  @property
  def final_fair_return(self) -> float:
    """R (1 - G) at the end, a mean; NaN if it was not logged."""
    if FAIR not in self.series:
      return np.nan
    return statistics.final_mean(self.series[FAIR])

  @property
  def final_returns(self) -> dict[str, float]:
    """Each agent's return at the end, a mean, by agent id."""
    return {
      name.removeprefix(_RETURN): statistics.final_mean(series)
      for name, series in self.series.items()
      if name.startswith(_RETURN)
    }

  @property
  def lazy_agents(self) -> list[str]:
    """The agents that never had a positive return, so collected no apple.

    A row of the log is the mean of the episodes that ended together: an agent
    that is not named had more apples than fines in at least one of the rows.
    """
    return sorted(
      name.removeprefix(_RETURN)
      for name, series in self.series.items()
      if name.startswith(_RETURN) and series.values.max() <= 0
    )


# Variant -> setting -> results of all seeds.
Groups = dict[str, dict[str, list[Result]]]


def load(sweep: sweep_lib.Sweep) -> list[Result]:
  """Reads the runs of a sweep that have logged an episode.

  Args:
    sweep: finished or not.

  Returns:
    Their results, in the order of `Sweep.runs`.
  """
  results = []
  for run in sweep.runs():
    series = report.load(run.directory.logs)
    if COLLECTIVE in series:
      path = run.directory.path / runner.EPISODE_NAME
      results.append(
        Result(
          run,
          int(series[COLLECTIVE].steps[-1]),
          (runner.steps_done(run.directory) or 0) >= sweep.num_steps,
          series,
          json.loads(path.read_text('utf-8')) if path.exists() else {},
        )
      )
  return results


def by_setting(results: list[Result]) -> Groups:
  """Groups results: variant -> setting -> results, the best setting first.

  Args:
    results: of `load`.

  Returns:
    The groups; settings by their mean final collective return.
  """
  groups: Groups = {}
  for result in results:
    settings = groups.setdefault(result.run.variant, {})
    settings.setdefault(result.run.setting, []).append(result)
  return {
    variant: dict(
      sorted(
        settings.items(),
        key=lambda item: -np.mean([r.final_return for r in item[1]]),
      )
    )
    for variant, settings in groups.items()
  }


def influenced_and_paid(
  results: list[Result],
) -> tuple[list[float], list[float]]:
  """Pairs how far agents were influenced with what they got.

  Args:
    results: of `load`; finished runs whose agents model each other count.

  Returns:
    The influence on each agent of each run, in nats per step of its episode,
    and its own final return.
  """
  influenced, paid = [], []
  for result in results:
    by_agent = result.episode.get('influenced') or {}
    for agent_id, value in by_agent.items():
      influenced.append(float(value))
      paid.append(result.final_returns[agent_id])
  return influenced, paid
