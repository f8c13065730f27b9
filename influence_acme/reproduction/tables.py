"""Makes the tables of a sweep: final returns, behaviour, and who is lazy."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from influence_acme.metrics import interval as interval_lib
from influence_acme.reproduction import influenced, statistics
from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import sweep as sweep_lib
from influence_acme.system import presets

# Final collective return (Jaques et al., 2019, Table 4), by `presets.GAMES`.
PAPER_FINAL = {
  'baseline': (89, 485),
  'inequity_aversion': (275, 750),
  'basic_influence': (190, 1073),
  'communication': (166, 951),
  'moa': (392, 588),
}
_FINAL_NOTE = (
  f'Means of the last {statistics.FINAL_FRACTION:.0%} of each run, then over '
  f'seeds, with {statistics.CONFIDENCE:.1%} intervals (t); all finished seeds '
  'count. R (1 - G): of episodes in which no agent is below 0. The paper, '
  'after 500,000,000 steps with episodes of 1,000, left out Harvest seeds with '
  'a lazy agent.'
)
_LAZY_NOTE = (
  'Agents that collected no apple in any episode of a finished run (their runs '
  'count above):'
)
# Column of the logs -> its title.
_BEHAVIOUR = {
  'equality': 'equality',
  'influential_share': 'influential steps',
  'speaker_consistency': 'speaker consistency',
  'message_coordination': 'message to action',
  'message_coordination_influential': 'influential steps only',
  'action_coordination': 'action to action',
  'action_coordination_influential': 'influential steps only',
}
_BEHAVIOUR_NOTE = (
  f'Means of the last {statistics.FINAL_FRACTION:.0%} of each run, then over '
  'seeds, of what was logged in training. Equality: of episodes in which no '
  'agent is below 0. Coordination is instantaneous, in nats, of the pair '
  'with most. In parentheses, to be compared with each other: means over one '
  'evaluation episode of each run, as it was and with its messages scrambled, '
  'which is what chance gives. Influential are, in training, steps with more '
  'than its mean of what an agent is paid for, so by the measure of its reward '
  'and, with influencee_reward, also steps at which it was influenced; in an '
  'episode, steps with more influence on others, by KL.'
)


class Part(NamedTuple):
  """Holds a table of a report, or, without a header, a list.

  Attributes:
    title: of the part.
    note: below the title.
    header: a title for each column.
    rows: of the table, or of the list.
  """

  title: str
  note: str
  header: tuple[str, ...]
  rows: Sequence[Any]


def make(
  sweep: sweep_lib.Sweep, results: list[results_lib.Result]
) -> list[Part]:
  """Returns the tables and lists of a report.

  Args:
    sweep: of which game.
    results: of its runs; settings stand in the tables with the best first.
  """
  groups = results_lib.by_setting(results)
  game = presets.GAMES.index(sweep.game)

  def final(variant: str, group: list[results_lib.Result]) -> list[str]:
    paper = str(PAPER_FINAL[variant][game]) if variant in PAPER_FINAL else '-'
    of_group = _text([result.final_return for result in group])
    fair = _text([result.final_fair_return for result in group])
    return [str(len(group)), of_group, paper, fair]

  def behaviour(_: str, group: list[results_lib.Result]) -> list[str]:
    return [_behaviour(column, group) for column in _BEHAVIOUR]

  def table(
    title: str,
    note: str,
    columns: Sequence[str],
    cells: Callable[[str, list[results_lib.Result]], list[str]],
  ) -> Part:
    rows = [
      (variant, setting, *cells(variant, group))
      for variant, settings in groups.items()
      for setting, group in settings.items()
    ]
    return Part(title, note, ('variant', 'setting', *columns), rows)

  return [
    table(
      'Final returns beside the paper’s',
      _FINAL_NOTE,
      ('seeds', 'collective return', 'paper', 'R (1 - G)'),
      final,
    ),
    table(
      'Equality, consistency and coordination',
      _BEHAVIOUR_NOTE,
      tuple(_BEHAVIOUR.values()),
      behaviour,
    ),
    Part('Lazy agents', _LAZY_NOTE, (), _lazy_agents(results)),
    Part('Influence and reward', influenced.NOTE, (), influenced.lines(groups)),
  ]


def _lazy_agents(results: list[results_lib.Result]) -> list[str]:
  """Returns a line for each run in which an agent collects no apple."""
  lines = []
  for result in results:
    who = result.lazy_text
    if not result.is_finished or not who:
      continue
    lines.append(
      f'{result.run.name}: {who} (collective return {result.final_return:.1f})'
    )
  return lines or ['none.']


def _behaviour(column: str, group: Sequence[results_lib.Result]) -> str:
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


def _text(values: list[float]) -> str:
  """Returns the mean and the interval of the values that are defined."""
  defined = np.array([value for value in values if not np.isnan(value)])
  if not defined.size:
    return '-'
  mean, half_width = interval_lib.interval(defined, statistics.CONFIDENCE)
  width = '' if np.isnan(half_width) else f' ± {half_width:.1f}'
  return f'{mean:.1f}{width}'
