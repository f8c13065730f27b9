"""Summarises a run in a few numbers, at its end and in one episode.

What is missing is named as such. Letters: T steps, N agents.
"""

import datetime

import numpy as np

from influence_acme import ops
from influence_acme.reproduction import statistics
from influence_acme.runs import curves, episode_record, plot_specs

_NOT_LOGGED, _NOT_RECORDED, _NO_MATTER = 'not logged', 'not recorded', '–'
_DEBTS = 'undefined, returns below 0'
# Measures of shares of a total.
_SHARES = frozenset({'equality', 'fair_return'})
_SPEED, _TIME = 'Environment steps per second', 'Wall time'
_SHOWN = [panel for panel in plot_specs.PANELS if panel.form]
# What an episode without training has not.
_OF_TRAINING = dict.fromkeys(
  ['Policy entropy, nats', _SPEED, _TIME], _NO_MATTER
)


def rows(columns: list[tuple[dict[str, str], str]]) -> list[list[str]]:
  """Returns the rows of a table: a title, then a text for each column.

  A column is title -> text, and the text of what is not there.
  """
  common = [_title(panel) for panel in _SHOWN if panel.is_common]
  known = {*common, _SPEED, _TIME}.union(*(found for found, _ in columns))
  titles = [*map(_title, _SHOWN), _SPEED, _TIME]
  return [
    [title, *(found.get(title, missing) for found, missing in columns)]
    for title in titles
    if title in known
  ]


def at_end(series: dict[str, curves.Series]) -> tuple[dict[str, str], str]:
  """Returns title -> what a run's logs end with, as a column of `rows`."""
  found = {}
  has_debts = any(
    statistics.final_mean(each) < 0
    for name, each in series.items()
    if name.startswith('episode_return/')
  )
  for panel in _SHOWN:
    means = [
      statistics.final_mean(each)
      for each in curves.lines_of(panel, series).values()
    ]
    if means:
      defined = [mean for mean in means if not np.isnan(mean)]
      total = sum(defined)
      if defined and not panel.is_count:
        total /= len(defined)
      found[_title(panel)] = format(total, panel.form) if defined else '-'
    if has_debts and panel.name in _SHARES:
      found[_title(panel)] = _DEBTS
  if 'learner_walltime' in series:
    clock = series['learner_walltime']
    seconds = clock.values.max()
    if seconds > 0:
      found[_TIME] = str(datetime.timedelta(seconds=round(seconds)))
      found[_SPEED] = f'{clock.steps[-1] / seconds:,.0f}'
  return found, _NOT_LOGGED


def of_episode(
  played: episode_record.EpisodeRecord | None,
) -> tuple[dict[str, str], str]:
  """Returns title -> what happened in an episode, as a column of `rows`.

  Beside a measure of messages stands that of the same messages, scrambled.
  """
  found: dict[str, str] = dict(_OF_TRAINING)
  if played is None:
    return found, _NOT_RECORDED
  returns = played.rewards.sum(axis=0)  # [N]
  measures = {
    **played.measures,
    'collective_return': float(returns.sum()),
    'equality': float(ops.equality(returns)),
    'fair_return': float(ops.fair_return(returns)),
  }
  if played.influence is not None:
    on_all = np.nansum(played.influence, axis=-1)  # [T, N]
    measures['influence'] = float(on_all.mean())
  for panel in _SHOWN:
    values = [
      value
      for name, value in measures.items()
      if name.split('/')[0] == panel.name
    ]
    if not values:
      continue
    total = float(np.sum(values) if panel.is_count else np.mean(values))
    form = panel.form.replace(',.1f', ',.0f')
    found[_title(panel)] = _or_undefined(total, form)
    if panel.name in _SHARES and returns.min() < 0:
      found[_title(panel)] = _DEBTS
    control = measures.get(f'{panel.name}_scrambled')
    if control is not None:
      text = _or_undefined(control, form)
      found[_title(panel)] += f' (scrambled: {text})'
  return found, _NOT_RECORDED


def _title(panel: plot_specs.Panel) -> str:
  return f'{panel.title}, {panel.unit}'


def _or_undefined(value: float, form: str) -> str:
  return 'undefined' if np.isnan(value) else format(value, form)
