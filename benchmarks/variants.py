"""Compares the speed of the paper's three experiments, in one run.

  python -m benchmarks.variants

Measured is vectorised acting and one learner step, in turn, of each variant of
the plan. The bar, said before any run: agents that act in turns, or that speak,
reach at least half the speed of those with a model of others.
"""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

from absl import app, flags

from benchmarks import machine, processes, settings, table, timing

MIN_RATIO = 0.5

_OUTPUT = flags.DEFINE_string(
  'output',
  '',
  'Where to write the JSON; a new file in runs/variants if not given.',
)
_SMOKE = flags.DEFINE_boolean(
  'smoke', False, 'Only try whether it works, on tiny sizes.'
)


def measure(
  workload: settings.Workload, plan: settings.Plan
) -> tuple[list[table.Row], dict[str, timing.Summary]]:
  """Measures all variants of the plan in one process.

  Returns:
    A row of each variant, and the ratios to the first one.
  """
  cores = machine.cores()
  with machine.Watch() as watch:
    (result,) = processes.run('agent.compare_variants', workload, plan, [cores])
  rows = [
    table.make_row(
      variant,
      len(cores),
      'steps/s',
      result[variant]['rates'],
      cores_used=result[variant]['cores_used'],
      # Of all of them together: they were measured in one process.
      peak_memory_bytes=result['peak_memory_bytes'],
      others_share=watch.others_share,
    )
    for variant in plan.variants
  ]
  rates = {variant: result[variant]['rates'] for variant in plan.variants}
  return rows, timing.ratios(rates, plan.variants[0])


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  processes.end_children_on_sigterm()
  workload, plan = settings.VECTORISED, settings.FULL
  if _SMOKE.value:
    workload, plan = settings.SMOKE_VECTORISED, settings.SMOKE
  before = machine.load_before()
  print(f'{workload.environment}, {workload.num_agents} agents')
  print(table.format_header(), flush=True)
  rows, compared = measure(workload, plan)
  for row in rows:
    print(table.format_row(row))
  for variant, ratio in compared.items():
    verdict = 'reaches' if ratio['median'] >= MIN_RATIO else 'MISSES'
    print(
      f'{variant}: {ratio["median"]:.2f} times the speed of '
      f'{plan.variants[0]} ({ratio["min"]:.2f} - {ratio["max"]:.2f}); it '
      f'{verdict} the bar of {MIN_RATIO}.'
    )
  shares = {row.name: row.others_share or 0.0 for row in rows}
  doubts = machine.doubts(before['busy_before'], shares)
  report: dict[str, Any] = {
    'machine': machine.describe(),
    'load': {**before, 'was_idle': not doubts, 'doubts': doubts},
    'workload': dataclasses.asdict(workload),
    'plan': dataclasses.asdict(plan),
    'rows': [dataclasses.asdict(row) for row in rows],
    'ratios': compared,
    'min_ratio': MIN_RATIO,
  }
  print('\n'.join(doubts))
  name = time.strftime('runs/variants/%Y%m%d-%H%M%S.json')
  path = pathlib.Path(_OUTPUT.value or name)
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps(report, indent=2) + os.linesep, encoding='utf-8')
  print(f'Written to {path}.')


if __name__ == '__main__':
  app.run(main)
