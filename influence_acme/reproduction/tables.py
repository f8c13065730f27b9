"""Makes the tables of a sweep: final returns, behaviour, and who is lazy."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from influence_acme import environments
from influence_acme.reproduction import (
  behaviour,
  commands,
  comparison,
  influenced,
  settings,
  statistics,
)
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
PAPER_LENGTH = 1000  # Of its episodes, in steps.
_FINAL_NOTE = (
  f'Means of the last {statistics.FINAL_FRACTION:.0%} of each run, then over '
  f'seeds, with {statistics.CONFIDENCE:.1%} intervals (t); all finished seeds '
  'count. R (1 - G): of episodes in which no agent is below 0.'
)
_PAPER_NOTE = (
  ' The paper, after 500,000,000 steps, left out Harvest seeds with a lazy '
  'agent.'
)
# Game -> a collective return of which is told when it is reached: one that only
# who cleans gets, and the paper's best.
_BARS = {'cleanup_small': 200, 'cleanup': 392}
_RUNS_NOTE = 'The command that makes, or goes on with, all of them: '
_LAZY_NOTE = (
  'Agents that collected no apple in any episode of a finished run (their runs '
  'count above):'
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
  """Returns the tables and lists of a report, with the best setting first."""
  groups = results_lib.by_setting(results)
  num_actions = environments.functional(sweep.game).num_actions

  def influence(group: list[results_lib.Result]) -> list[str]:
    return behaviour.influence_cells(group, num_actions)

  compared = comparison.rows(groups)
  parts = [
    _final(sweep, groups),
    Part('Against controls', comparison.NOTE, comparison.HEADER, compared),
    _table(
      'Influence and returns by agent',
      behaviour.INFLUENCE_NOTE,
      behaviour.INFLUENCE_HEADER,
      groups,
      influence,
    ),
    _table(
      'Equality, consistency and coordination',
      behaviour.NOTE,
      tuple(behaviour.COLUMNS.values()),
      groups,
      behaviour.cells,
    ),
    Part('Lazy agents', _LAZY_NOTE, (), _lazy_agents(results)),
    Part('Influence and reward', influenced.NOTE, (), influenced.lines(groups)),
    _runs(sweep, results),
  ]
  return [part for part in parts if part.rows]


def _table(
  title: str,
  note: str,
  columns: tuple[str, ...],
  groups: results_lib.Groups,
  cells: Callable[[list[results_lib.Result]], list[str]],
) -> Part:
  """Returns a table with a row for each setting."""
  rows = [
    (variant, setting, *cells(group))
    for variant, settings_of in groups.items()
    for setting, group in settings_of.items()
  ]
  return Part(title, note, ('variant', 'setting', *columns), rows)


def _final(sweep: sweep_lib.Sweep, groups: results_lib.Groups) -> Part:
  """Returns what is collected in the end, beside the paper's if it can be."""
  beside = (
    sweep.experiment != settings.PRACTICAL
    and (sweep.episode_length or PAPER_LENGTH) == PAPER_LENGTH
  )
  bar = _BARS.get(sweep.game)
  columns = ['seeds', 'collective return', 'R (1 - G)', 'apples', 'cleaned']
  columns += ['entropy'] + [f'first at {bar}'] * bool(bar) + ['paper'] * beside

  def cells(group: list[results_lib.Result]) -> list[str]:
    text = statistics.interval_text
    found = [
      str(len(group)),
      text([result.final_return for result in group]),
      text([result.final(results_lib.FAIR) for result in group]),
      text([result.final_sum('apples/') for result in group]),
      text([result.final_sum('waste_cleaned/') for result in group]),
      text([result.final('entropy') for result in group], digits=2),
    ]
    if bar:
      found.append(', '.join(_first(result, bar) for result in group))
    if beside:
      paper = PAPER_FINAL.get(group[0].run.variant)
      found.append(
        str(paper[presets.GAMES.index(sweep.game)]) if paper else '-'
      )
    return found

  note = _FINAL_NOTE + _PAPER_NOTE * beside
  return _table('Final returns', note, tuple(columns), groups, cells)


def _first(result: results_lib.Result, bar: float) -> str:
  """Returns the step at which a run first has a collective return."""
  series = result.series[results_lib.COLLECTIVE]
  above = series.steps[series.values >= bar]
  return f'{above[0] / 1e6:.2f}e6' if above.size else 'never'


def _runs(sweep: sweep_lib.Sweep, results: list[results_lib.Result]) -> Part:
  """Returns what each run took, and the command that makes them."""
  rows = [
    (
      result.run.name,
      result.commit or '-',
      f'{result.steps:,}',
      f'{result.wall_seconds / 60:.0f} min',
    )
    for result in results
    if result.is_finished
  ]
  command = commands.command(sweep, with_path=False)
  header = ('run', 'commit', 'environment steps', 'learning took')
  return Part('Runs', f'{_RUNS_NOTE}`{command}`.', header, rows)


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
  return lines or ['none.'] * any(result.is_finished for result in results)
