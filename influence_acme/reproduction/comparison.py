"""Compares variants with their controls, seed by seed."""

from collections.abc import Sequence

import numpy as np

from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import statistics

NOTE = (
  'Final collective return, less that of a control: the mean over the seeds '
  f'that both have, with {statistics.CONFIDENCE:.1%} intervals (t) of the '
  'differences. The probability of improvement is that of one run against one '
  'of the control, over all pairs of runs, ties counting half (Agarwal et al., '
  '2021). Chance gives 50%.'
)
HEADER = ('variant', 'setting', 'control', 'seeds', 'difference', 'improvement')
# Variant -> the same networks without its reward, and the actor-critic.
_CONTROLS = {
  'visible_actions': ('baseline',),
  'basic_influence': ('visible_actions', 'baseline'),
  'comm_baseline': ('baseline',),
  'communication': ('comm_baseline', 'baseline'),
  'moa_baseline': ('baseline',),
  'moa': ('moa_baseline', 'baseline'),
  'prosocial': ('baseline',),
  'inequity_aversion': ('baseline',),
  'svo': ('baseline',),
}


def difference(
  group: Sequence[results_lib.Result], control: Sequence[results_lib.Result]
) -> np.ndarray:
  """Returns what seeds have more than those of a control, float [S]."""
  others = {result.run.seed: result.final_return for result in control}
  return np.array(
    [
      result.final_return - others[result.run.seed]
      for result in group
      if result.run.seed in others
    ]
  )


def improvement(x: Sequence[float], y: Sequence[float]) -> float:
  """Returns P(X > Y) + P(X = Y) / 2 over all pairs without NaN; else NaN."""
  more = np.sign(np.subtract.outer(x, y))  # [S, S']
  defined = more[~np.isnan(more)]
  return float(np.mean((defined + 1) / 2)) if defined.size else np.nan


def rows(groups: results_lib.Groups) -> list[tuple[str, ...]]:
  """Returns a row for each setting and a control's best one, see `HEADER`."""
  found: list[tuple[str, ...]] = []
  for variant, settings in groups.items():
    for setting, group in settings.items():
      for name in _CONTROLS.get(variant, ()):
        if name in groups:
          control = next(iter(groups[name].values()))
          found.append((variant, setting, name, *_compare(group, control)))
  return found


def _compare(
  group: Sequence[results_lib.Result], control: Sequence[results_lib.Result]
) -> tuple[str, str, str]:
  """Returns the number of paired seeds, their difference, and improvement."""
  paired = difference(group, control)
  chance = improvement(
    [result.final_return for result in group],
    [result.final_return for result in control],
  )
  told = '-' if np.isnan(chance) else f'{chance:.0%}'
  return str(len(paired)), statistics.interval_text(paired), told
