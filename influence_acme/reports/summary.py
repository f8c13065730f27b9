"""Summarises a run in a few numbers, at its end and in one episode.

What is missing is named as such. Letters: T steps, N agents.
"""

import datetime

import numpy as np

from influence_acme import ops
from influence_acme.programs import evaluation
from influence_acme.reproduction import statistics
from influence_acme.runs import curves

_NOT_LOGGED = 'not logged'
_NOT_RECORDED = 'not recorded'
_NO_MATTER = '–'

# Title -> the column of the logs, of the group or as `column/agent`, and how it
# is shown.
_LOGGED = {
  'Collective return': ('collective_return', '.1f'),
  'Equality, 1 − Gini': ('equality', '.3f'),
  'Return × equality': ('fair_return', '.1f'),
  'Sustainability, mean rewarded step': ('sustainability', '.1f'),
  'Apples': ('apples', ',.1f'),
  'Waste cleaned': ('waste_cleaned', ',.1f'),
  'Fining beams': ('beams', ',.1f'),
  'Hits by fining beams': ('hits', ',.1f'),
  'Peace, agents not hit in a step': ('peace', '.3f'),
  'Opened boxes': ('box_opened', '.1%'),
  'Influence, nats a step': ('influence', '.3g'),
  'Share of influential steps': ('influential_share', '.1%'),
  'Speaker consistency': ('speaker_consistency', '.3f'),
  'Coordination, message to action, nats': ('message_coordination', '.3f'),
  'The same in influential steps': ('message_coordination_influential', '.3f'),
  'Coordination, action to action, nats': ('action_coordination', '.3f'),
  'That in influential steps': ('action_coordination_influential', '.3f'),
  'MOA accuracy': ('moa_accuracy', '.1%'),
  'MOA calibration error': ('moa_calibration_error', '.1%'),
  'Policy entropy, nats': ('entropy', '.2f'),
}
# Counts of agents are summed, all else is averaged over them.
_COUNTS = ('apples', 'waste_cleaned', 'beams', 'hits')
# What an episode without training has not.
_OF_TRAINING = (
  'Policy entropy, nats',
  'Environment steps per second',
  'Wall time',
)
# What only some environments and agents have: no row where nobody has it.
_OPTIONAL = (
  'Opened boxes',
  'Speaker consistency',
  'Coordination, message to action, nats',
  'The same in influential steps',
  'MOA accuracy',
  'MOA calibration error',
)
_TITLES = (*list(_LOGGED)[:-1], *_OF_TRAINING)


def rows(
  series: dict[str, curves.Series], played: evaluation.EpisodeRecord | None
) -> list[tuple[str, str, str]]:
  """Returns the rows of the table.

  Args:
    series: of the run's logs, see `report.load`.
    played: what happened in the filmed episode, if it was filmed.

  Returns:
    Title, at the end of training, and in the episode.
  """
  trained = at_end(series)
  in_episode = dict.fromkeys(_OF_TRAINING, _NO_MATTER)
  if played is not None:
    in_episode |= of_episode(played)
  return [
    (
      title,
      trained.get(title, _NOT_LOGGED),
      in_episode.get(title, _NOT_RECORDED),
    )
    for title in _TITLES
    if title not in _OPTIONAL or title in trained or title in in_episode
  ]


def at_end(series: dict[str, curves.Series]) -> dict[str, str]:
  """Returns title -> what a run's logs end with; what they lack is left out."""
  found = {}
  for title, (column, form) in _LOGGED.items():
    means = [
      statistics.final_mean(each)
      for name, each in series.items()
      if name.split('/')[0] == column
    ]
    if means:
      defined = [mean for mean in means if not np.isnan(mean)]
      total = sum(defined)
      if column not in _COUNTS and defined:
        total /= len(defined)
      found[title] = format(total, form) if defined else '-'
  if 'learner_walltime' in series:
    clock = series['learner_walltime']
    seconds = clock.values.max()
    if seconds > 0:
      found['Wall time'] = str(datetime.timedelta(seconds=round(seconds)))
      rate = clock.steps[-1] / seconds
      found['Environment steps per second'] = f'{rate:,.0f}'
  return found


def of_episode(played: evaluation.EpisodeRecord) -> dict[str, str]:
  """Returns title -> what happened; what was not recorded is left out.

  Beside a measure of messages stands that of the same messages, scrambled.
  """
  returns = played.rewards.sum(axis=0)  # [N]
  equality = float(ops.equality(returns))
  fair = float(ops.fair_return(returns))
  found = {
    'Collective return': f'{returns.sum():.1f}',
    'Equality, 1 − Gini': _or_undefined(equality, '.3f'),
    'Return × equality': _or_undefined(fair, '.1f'),
  }
  for title, (column, form) in _LOGGED.items():
    values = [
      value
      for name, value in played.measures.items()
      if name.split('/')[0] == column
    ]
    if values and title not in found:
      total = np.sum(values) if column in _COUNTS else np.mean(values)
      found[title] = _or_undefined(float(total), form.replace(',.1f', ',.0f'))
      control = played.measures.get(f'{column}_scrambled')
      if control is not None:
        found[title] += f' (scrambled: {_or_undefined(control, form)})'
  if played.influence is not None:
    mean = np.nansum(played.influence, axis=-1).mean()
    found['Influence, nats a step'] = f'{mean:.3g}'
  return found


def _or_undefined(value: float, form: str) -> str:
  return 'undefined' if np.isnan(value) else format(value, form)
