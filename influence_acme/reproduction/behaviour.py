"""Tabulates equality, communication and coordination of a sweep's variants."""

from collections.abc import Sequence

import numpy as np

from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import statistics

# Column of the logs -> its title.
_COLUMNS = {
  'equality': 'equality',
  'influential_share': 'influential steps',
  'speaker_consistency': 'speaker consistency',
  'message_coordination': 'message to action',
  'message_coordination_influential': 'influential steps only',
  'action_coordination': 'action to action',
  'action_coordination_influential': 'influential steps only',
}
HEADER = ('variant', 'setting', *_COLUMNS.values())
NOTE = (
  'Means of the last '
  f'{statistics.FINAL_FRACTION:.0%} of each run, then over seeds, of what was '
  'logged in training. Coordination is instantaneous, in nats, of the pair '
  'with most. In parentheses, to be compared with each other: means over one '
  'evaluation episode of each run, as it was and with its messages scrambled, '
  'which is what chance gives. Influential are, in training, steps with more '
  'than its mean of what an agent is paid for, so by the measure of its reward '
  'and, with influencee_reward, also steps at which it was influenced; in an '
  'episode, steps with more influence on others, by KL.'
)


def rows(groups: results_lib.Groups) -> list[tuple[str, ...]]:
  """Returns one row for each setting of each variant, the best first.

  Args:
    groups: of `results.by_setting`.

  Returns:
    What `HEADER` names; '-' for what was not logged, or is undefined at the
    end of all seeds.
  """
  return [
    (variant, setting, *(_cell(column, group) for column in _COLUMNS))
    for variant, settings in groups.items()
    for setting, group in settings.items()
  ]


def _cell(column: str, group: Sequence[results_lib.Result]) -> str:
  """Returns training's mean over seeds; an episode's and its control's."""
  means = [
    statistics.final_mean(result.series[column])
    for result in group
    if column in result.series
  ]
  finals = [mean for mean in means if not np.isnan(mean)]
  if not finals:
    return '-'
  measures = [result.episode.get('measures', {}) for result in group]
  pairs = [
    (each.get(column), each.get(f'{column}_scrambled')) for each in measures
  ]
  known = [pair for pair in pairs if None not in pair]
  if not known:
    return f'{np.mean(finals):.3f}'
  spoken, scrambled = np.mean(known, axis=0)
  return f'{np.mean(finals):.3f} ({spoken:.3f}, scrambled {scrambled:.3f})'
