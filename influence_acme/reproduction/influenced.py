"""Do agents that are influenced get more? A correlation for each variant.

The paper correlates over the settings of a sweep. Agents of one run, and seeds
of one setting, are not independent: p-values are over the means of such groups.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import statistics

NOTE = (
  'Being influenced and own return, variant by variant, over finished runs. '
  'Being influenced: KL from all others, nats per step, in one evaluation '
  f'episode. Own return: mean of the last {statistics.FINAL_FRACTION:.0%} of '
  'training. A point is an agent of a run; agents that act first, whom nobody '
  'can influence, are left out. Agents of a run are not independent, nor are '
  'seeds of a setting: p is of the means over each run, or over each setting '
  'where several were run, by permutations. The paper has .67 in Cleanup and '
  '.34 in Harvest, over 100 settings and seeds.'
)


class Point(NamedTuple):
  """One agent of one run.

  Attributes:
    setting: of the run.
    seed: of the run.
    influence: of all others on it, nats per step.
    own_return: extrinsic, at the end of training.
  """

  setting: str
  seed: int
  influence: float
  own_return: float


def points(results: Sequence[results_lib.Result]) -> list[Point]:
  """Returns the agents of a variant that others could influence.

  Runs whose evaluation measured no influence have no points.
  """
  found = []
  for result in results:
    influence = result.episode.get('influenced') or {}
    config = result.run.config
    # Who acts first within a step sees nobody's action before it acts.
    num_deaf = config.num_influencers if config.has_influencers else 0
    for agent_id in list(influence)[num_deaf:]:
      found.append(
        Point(
          result.run.setting,
          result.run.seed,
          float(influence[agent_id]),
          result.final_returns[agent_id],
        )
      )
  return found


def lines(groups: results_lib.Groups) -> list[str]:
  """Returns the correlations of each variant, in words."""
  found = {
    variant: points([r for group in settings.values() for r in group])
    for variant, settings in groups.items()
  }
  return [
    f'{variant}: {_in_words(of_variant)}'
    for variant, of_variant in found.items()
    if of_variant
  ] or ['no influence was measured.']


def _in_words(agents: list[Point]) -> str:
  """Returns how influence and return go together, by agent and by group."""
  settings = {agent.setting for agent in agents}
  by_setting = len(settings) > 1
  groups: dict[str | int, list[tuple[float, float]]] = {}
  for agent in agents:
    key = agent.setting if by_setting else agent.seed
    groups.setdefault(key, []).append((agent.influence, agent.own_return))
  means = np.array([np.mean(pairs, axis=0) for pairs in groups.values()])
  kind = 'settings' if by_setting else 'runs'
  of_agents = statistics.correlate(
    [agent.influence for agent in agents],
    [agent.own_return for agent in agents],
  )
  of_means = statistics.correlate(*means.T)
  return (
    f'{_numbers(of_agents, "agents")}; '
    f'{_numbers(of_means, f"means of {kind}", with_p=True)}.'
  )


def _numbers(
  found: statistics.Correlation, what: str, *, with_p: bool = False
) -> str:
  over = f'over {found.num_pairs} {what}'
  if np.isnan(found.pearson):
    return f'{over} no correlation can be told'
  p_value = f' (p = {found.p_value:.2g})' if with_p else ''
  return (
    f'{over} Pearson {found.pearson:.2f}{p_value}, Spearman '
    f'{found.spearman:.2f}'
  )
