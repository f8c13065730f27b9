"""Measures training runs over what makes them larger, and draws it.

python -m benchmarks.scaling --sweep=actors --sweep=agents
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import app, flags

from benchmarks import end_to_end, machine, plots, processes, settings, timing

_SWEEPS = {
  'actors': (1, 2, 4),
  'environments': (1, 4, 16, 64, 256),
  'agents': (2, 3, 5, 7, 10),
  'episode_length': (100, 1000),
}
_FIELDS = {
  'actors': 'num_actors',
  'environments': 'num_environments',
  'agents': 'num_agents',
  'episode_length': 'episode_length',
}

_CHOSEN = flags.DEFINE_multi_enum(
  'sweep', list(_SWEEPS), list(_SWEEPS), 'What to vary; may be repeated.'
)
_LAUNCH = flags.DEFINE_enum(
  'launch', 'threads', settings.FULL.launches, 'How to run the programs.'
)
_OUTPUT = flags.DEFINE_string(
  'output', 'runs/scaling', 'A folder for scaling.json and the plots.'
)
_SMOKE = flags.DEFINE_boolean(
  'smoke', False, 'Only try whether it works: one run a sweep, tiny sizes.'
)


def plan_sweep(sweep: str, smoke: bool) -> list[tuple[int, settings.Workload]]:
  """Returns the workloads of a sweep, each with the value that is varied.

  Args:
    sweep: one of the names above.
    smoke: whether to return one tiny workload.

  Returns:
    Vectorised ones and then, but for 'environments', those step by step.
  """
  if smoke:
    return [(1, settings.SMOKE_VECTORISED)]
  workloads = [settings.VECTORISED]
  if sweep != 'environments':  # Step by step there is one for each actor.
    workloads.append(settings.STEP_BY_STEP)
  return [
    (value, _vary(workload, sweep, value))
    for workload in workloads
    for value in _SWEEPS[sweep]
  ]


def _vary(
  workload: settings.Workload, sweep: str, value: int
) -> settings.Workload:
  changes: dict[str, Any] = {_FIELDS[sweep]: value}
  return dataclasses.replace(workload, **changes)


def measure(
  value: int, workload: settings.Workload, plan: settings.Plan, launch: str
) -> dict[str, Any]:
  """Measures one training run; returns a point of the diagram."""
  with machine.Watch() as watch:
    result = end_to_end.measure(workload, plan, launch)
  return {
    'value': value,
    'kind': workload.kind,
    'steps_per_second': timing.summarise(result['rates']),
    'peak_memory_bytes': result['peak_memory_bytes'],
    'start_up_seconds': result['start_up_seconds'],
    'others_share': watch.others_share,
    'workload': dataclasses.asdict(workload),
  }


def main(argv: Sequence[str]) -> None:
  """Measures all sweeps, and writes after each."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  processes.end_children_on_sigterm()
  plan = settings.SMOKE
  if not _SMOKE.value:
    # Several actors compile at the same time, and some after the learner.
    plan = dataclasses.replace(settings.FULL, settle_seconds=10.0)
  folder = pathlib.Path(_OUTPUT.value)
  folder.mkdir(parents=True, exist_ok=True)
  before = machine.load_before()
  sweeps: dict[str, list[dict[str, Any]]] = {}
  for sweep in _CHOSEN.value:
    points = sweeps.setdefault(sweep, [])
    for value, workload in plan_sweep(sweep, _SMOKE.value):
      point = measure(value, workload, plan, _LAUNCH.value)
      points.append(point)
      speed = point['steps_per_second']
      print(
        f'{sweep} {value}, {workload.kind}: {speed["median"]:,.0f} steps/s '
        f'({speed["min"]:,.0f} - {speed["max"]:,.0f}), '
        f'{point["peak_memory_bytes"] / 2**30:.2f} GiB',
        flush=True,
      )
    shares = {f'{sweep} {p["value"]}': p['others_share'] for p in points}
    report = {
      'machine': machine.describe(),
      'load': before,
      'launch': _LAUNCH.value,
      'sweeps': sweeps,
    }
    text = json.dumps(report, indent=2) + os.linesep
    (folder / 'scaling.json').write_text(text, encoding='utf-8')
    plots.write_sweep(folder / f'{sweep}.png', sweep, points)
    print('\n'.join(machine.doubts(before['busy_before'], shares)))
  print(f'Written to {folder}.')


if __name__ == '__main__':
  app.run(main)
