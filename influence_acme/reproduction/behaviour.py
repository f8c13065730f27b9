"""Makes the cells of tables that tell what agents do, beside what they get."""

import math
from collections.abc import Sequence

import numpy as np

from influence_acme.reproduction import results as results_lib
from influence_acme.reproduction import statistics

# Column of the logs -> its title.
COLUMNS = {
  'equality': 'equality',
  'influential_share': 'influential steps',
  'speaker_consistency': 'speaker consistency',
  'message_coordination': 'message to action',
  'message_coordination_influential': 'influential steps only',
  'action_coordination': 'action to action',
  'action_coordination_influential': 'influential steps only',
}
NOTE = (
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
# The share of log A, the most that a choice can tell, below which all is noise.
NOISE = 0.01
INFLUENCE_NOTE = (
  'The influence that was paid for, unweighted, per agent and step, by the '
  'measure of the reward, and its share of log A for A actions: less than '
  f'{NOISE:.0%} is noise. Skill: what models of others foretell of their next '
  'actions beyond how often each is taken, in nats an action. Returns: of each '
  'agent, in order.'
)
INFLUENCE_HEADER = ('influence, nats a step', 'of log A', 'skill', 'returns')


def cells(group: Sequence[results_lib.Result]) -> list[str]:
  """Returns a cell for each of `COLUMNS`: means over a setting's seeds."""
  return [_measured(column, group) for column in COLUMNS]


def influence_cells(
  group: Sequence[results_lib.Result], num_actions: int
) -> list[str]:
  """Returns a cell for each of `INFLUENCE_HEADER`: means over seeds."""
  by_agent: dict[str, list[float]] = {}
  for result in group:
    for agent, value in result.final_returns.items():
      by_agent.setdefault(agent, []).append(value)
  means = [statistics.mean_of(values) for values in by_agent.values()]
  returns = (
    '-' if np.isnan(means).all() else ', '.join(f'{x:.1f}' for x in means)
  )
  influence = statistics.mean_of(
    [
      statistics.mean_of(result.finals(results_lib.INFLUENCE))
      for result in group
    ]
  )
  skill = statistics.mean_of([result.final('moa_skill') for result in group])
  told = '-' if np.isnan(skill) else f'{skill:.3f}'
  if np.isnan(influence) or not influence:
    return ['-', '-', told, returns]
  share = influence / math.log(num_actions)
  of_most = f'{share:.2%}' + ', noise' * (share < NOISE)
  return [f'{influence:.2g}', of_most, told, returns]


def _measured(column: str, group: Sequence[results_lib.Result]) -> str:
  """Returns training's mean over seeds; an episode's and its control's."""
  mean = statistics.mean_of([result.final(column) for result in group])
  if np.isnan(mean):
    return '-'
  measures = [result.episode.get('measures', {}) for result in group]
  pairs = [
    (each.get(column), each.get(f'{column}_scrambled')) for each in measures
  ]
  known = [pair for pair in pairs if None not in pair]
  if not known:
    return f'{mean:.3f}'
  spoken, scrambled = np.mean(known, axis=0)
  return f'{mean:.3f} ({spoken:.3f}, scrambled {scrambled:.3f})'
