"""Measures the speed of everything, prints a table and writes a JSON file.

  python -m benchmarks --output=speed.json

What the numbers mean is in README.md.
"""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

from absl import app, flags

from benchmarks import (
  machine,
  measurements,
  outlook,
  processes,
  settings,
  table,
)

_OUTPUT = flags.DEFINE_string(
  'output',
  '',
  'Where to write the JSON; a new file in runs/bench if not given.',
)
_SMOKE = flags.DEFINE_boolean(
  'smoke', False, 'Only try whether it works, on tiny sizes.'
)
# Of the machines in the outlook.
_CORES = 64
_PEAK, _LINK = 20e12, 10e9  # Of an accelerator, see `outlook.Accelerator`.


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  processes.end_children_on_sigterm()
  workloads = settings.VECTORISED, settings.STEP_BY_STEP
  plan = settings.FULL
  if _SMOKE.value:
    workloads = settings.SMOKE_VECTORISED, settings.SMOKE_STEP_BY_STEP
    plan = settings.SMOKE
  started = time.monotonic()
  before = machine.load_before()
  print(f'{workloads[0].environment}, {workloads[0].num_agents} agents')
  print(table.format_header(), flush=True)
  rows = []
  for row in measurements.run(*workloads, settings.GAMES, plan):
    print(table.format_row(row), flush=True)
    rows.append(row)
  shares = {f'{r.name} ({r.cores})': r.others_share or 0.0 for r in rows}
  doubts = machine.doubts(before['busy_before'], shares)
  report = {
    'machine': machine.describe(),
    'load': {**before, 'was_idle': not doubts, 'doubts': doubts},
    'vectorised': dataclasses.asdict(workloads[0]),
    'step_by_step': dataclasses.asdict(workloads[1]),
    'games': [dataclasses.asdict(game) for game in settings.GAMES],
    'plan': dataclasses.asdict(plan),
    'flops_per_step': measurements.operations(workloads[0]),
    'rows': [dataclasses.asdict(row) for row in rows],
    'outlook': _look_out(rows, workloads[0], plan),
    'seconds': time.monotonic() - started,
  }
  print('\n'.join(['', *_conclude(report)]))
  name = time.strftime('runs/bench/%Y%m%d-%H%M%S.json')
  path = pathlib.Path(_OUTPUT.value or name)
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps(report, indent=2) + os.linesep, encoding='utf-8')
  print(f'Written to {path}.')


def _look_out(
  rows: Sequence[table.Row],
  workload: settings.Workload,
  plan: settings.Plan,
) -> dict[str, float]:
  """Returns environment steps/s of machines that we do not have."""
  found = {row.name: row for row in rows}
  acting = found[measurements.ACTING]
  learning = found[measurements.LEARNING]
  # The launch that would be spread over more cores.
  whole = found[measurements.run_name(plan.launches[-1], workload)]
  parts = outlook.make_parts(acting, learning, whole)
  accelerator = outlook.Accelerator(_PEAK, learning.gemm_fraction or 1.0, _LINK)
  step = outlook.StepCost(
    measurements.operations(workload)['learning'],
    outlook.pixel_bytes(workload.num_agents),
  )
  # Ours has a thread for each agent.
  num_agents = workload.num_agents
  return {
    **dataclasses.asdict(parts),
    f'{_CORES} cores, learner on any': outlook.on_cores(parts, _CORES, _CORES),
    f'{_CORES} cores, learner on {num_agents}': outlook.on_cores(
      parts, _CORES, num_agents
    ),
    f'{_CORES} cores and an accelerator': outlook.with_accelerator(
      parts, _CORES, accelerator, step
    ),
  }


def _conclude(report: dict[str, Any]) -> list[str]:
  """Returns what is printed below the table."""
  operations = report['flops_per_step']
  load = report['load']
  speeds = {k: v for k, v in report['outlook'].items() if ' ' in k}
  return [
    f'A step takes {operations["acting"] / 1e6:.2f} MFLOP to act and '
    f'{operations["learning"] / 1e6:.2f} to learn.',
    'Other machines, computed and not measured (see outlook.py):',
    *(f'  {name}: {speed:,.0f} steps/s' for name, speed in speeds.items()),
    'The machine was idle otherwise.'
    if load['was_idle']
    else 'THE MACHINE WAS NOT IDLE: measure again when it is.',
    *(f'  {doubt}' for doubt in load['doubts']),
    f'It took {report["seconds"]:.0f} s.',
  ]


if __name__ == '__main__':
  app.run(main)
