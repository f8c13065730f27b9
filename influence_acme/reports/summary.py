"""What a run came to, in a few numbers: at its end, and in one episode.

What is missing is named as such. Letters: T steps, N agents.
"""

import datetime

import numpy as np

from influence_acme import ops
from influence_acme.programs import evaluation, report
from influence_acme.reproduction import statistics

_NOT_LOGGED = 'not logged'
_NOT_RECORDED = 'not recorded'
_NO_MATTER = '–'

# Title -> the column of the logs, of the group or as `column/agent`, and how it
# is shown.
_LOGGED = {
  'Collective return': ('collective_return', '.1f'),
  'Equality, 1 − Gini': ('equality', '.3f'),
  'Return × equality': ('fair_return', '.1f'),
  'Influence, nats a step': ('influence', '.3g'),
  'MOA accuracy': ('moa_accuracy', '.1%'),
  'Policy entropy, nats': ('entropy', '.2f'),
}
# What an episode without training has not.
_OF_TRAINING = (
  'MOA accuracy',
  'Policy entropy, nats',
  'Environment steps per second',
  'Wall time',
)
# The order of the rows.
_TITLES = (
  'Collective return',
  'Equality, 1 − Gini',
  'Return × equality',
  'Apples: steps with a reward above 0',
  'Waste cleaned',
  'Fining beams',
  'Cleaning beams',
  'Influence, nats a step',
  'Share of influential steps',
  *_OF_TRAINING,
)


def rows(
  series: dict[str, report.Series], played: evaluation.EpisodeRecord | None
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
  ]


def at_end(series: dict[str, report.Series]) -> dict[str, str]:
  """Returns title -> what a run's logs end with; what they lack is left out."""
  found = {}
  for title, (column, form) in _LOGGED.items():
    means = [
      statistics.final_mean(each)
      for name, each in series.items()
      if name.split('/')[0] == column
    ]
    if means:
      found[title] = format(np.mean(means), form)
  if 'learner_walltime' in series:
    clock = series['learner_walltime']
    seconds = clock.values.max()
    if seconds > 0:
      found['Wall time'] = str(datetime.timedelta(seconds=round(seconds)))
      rate = clock.steps[-1] / seconds
      found['Environment steps per second'] = f'{rate:,.0f}'
  return found


def of_episode(played: evaluation.EpisodeRecord) -> dict[str, str]:
  """Returns title -> what happened; what was not recorded is left out."""
  returns = played.rewards.sum(axis=0)  # [N]
  equality = float(ops.equality(returns))
  fair = float(ops.fair_return(returns))
  found = {
    'Collective return': f'{returns.sum():.1f}',
    'Equality, 1 − Gini': _or_undefined(equality, '.3f'),
    'Return × equality': _or_undefined(fair, '.1f'),
    'Apples: steps with a reward above 0': f'{(played.rewards > 0).sum():,}',
  }
  for title, action in (('Fining beams', 'fire'), ('Cleaning beams', 'clean')):
    if action in played.action_names:
      number = played.action_names.index(action)
      found[title] = f'{(played.actions == number).sum():,}'
  if played.influence is not None:
    mean = np.nansum(played.influence, axis=-1).mean()
    found['Influence, nats a step'] = f'{mean:.3g}'
    found['Share of influential steps'] = f'{played.influential_share:.1%}'
  return found


def _or_undefined(value: float, form: str) -> str:
  return 'undefined' if np.isnan(value) else format(value, form)
