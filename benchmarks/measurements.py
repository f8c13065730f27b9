"""All measurements of `make bench`, one after the other."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import (
  end_to_end,
  flops,
  machine,
  processes,
  settings,
  table,
  timing,
)

GEMM, ACTING, LEARNING = 'GEMM, float32', 'acting, vectorised', 'learning'


def run(
  vectorised: settings.Workload,
  step_by_step: settings.Workload,
  games: Sequence[settings.Workload],
  plan: settings.Plan,
) -> Iterator[table.Row]:
  """Measures everything, and gives rows as they are there.

  Args:
    vectorised: a workload of compiled unrolls.
    step_by_step: a workload of the Acme actor.
    games: of which the environment alone is measured, on one core.
    plan: how much to measure.
  """
  cores = machine.cores()
  last, all_ = [cores[-1:]], [cores]
  each = [[core] for core in cores]
  gemm = {}
  for where in (last, all_):
    row = _measure_gemm(vectorised, plan, where)
    gemm[row.cores] = row.median
    yield row
  # Processes that are bound to a core each, against one of them.
  for where in (last, each) if len(cores) > 1 else (last,):
    yield from _measure_environment(vectorised, plan, where, 'environment')
  few = dataclasses.replace(plan, environment_batches=plan.game_batches)
  for game in games:
    yield from _measure_environment(game, few, last, game.environment)
  yield from _measure_agent(vectorised, step_by_step, plan, gemm)
  for launch in plan.launches:
    for workload in (vectorised, step_by_step):
      yield _measure_run(workload, plan, launch, gemm[len(cores)])


def operations(workload: settings.Workload) -> dict[str, float]:
  """Returns the network's operations in an environment step, by what it does.

  Args:
    workload: of which the number of agents and T matter. Cleanup's sizes are
      taken for granted.
  """
  sizes = flops.Sizes(num_agents=workload.num_agents)
  acting = flops.acting(sizes)
  learning = flops.learning(sizes, workload.unroll_length)
  return {'acting': acting, 'learning': learning, 'both': acting + learning}


def _measure_gemm(
  workload: settings.Workload, plan: settings.Plan, where: list[list[int]]
) -> table.Row:
  with machine.Watch() as watch:
    (result,) = processes.run('gemm.measure', workload, plan, where)
  return table.make_row(
    GEMM,
    len(where[0]),
    'FLOP/s',
    result['rates'],
    gemm_fraction=1.0,
    **_common(result, watch),
  )


def _measure_environment(
  workload: settings.Workload,
  plan: settings.Plan,
  where: list[list[int]],
  name: str,
) -> Iterator[table.Row]:
  with machine.Watch() as watch:
    results = processes.run('environment.measure', workload, plan, where)
  for batch_size in map(str, plan.environment_batches):
    parts = [result[batch_size] for result in results]
    yield table.make_row(
      f'{name}, {batch_size} at once',
      len(where),
      'steps/s',
      [sum(rates) for rates in zip(*(p['rates'] for p in parts), strict=True)],
      cores_used=sum(part['cores_used'] for part in parts),
      # Of all batch sizes together: they were measured in one process.
      peak_memory_bytes=sum(r['peak_memory_bytes'] for r in results),
      others_share=watch.others_share,
    )


def _measure_agent(
  vectorised: settings.Workload,
  step_by_step: settings.Workload,
  plan: settings.Plan,
  gemm: Mapping[int, float],
) -> Iterator[table.Row]:
  cores = machine.cores()
  with machine.Watch() as watch:
    (result,) = processes.run(
      'agent.act_step_by_step', step_by_step, plan, [cores[-1:]]
    )
  yield table.make_row(
    'acting, step by step',
    1,
    'steps/s',
    result['rates'],
    gemm_fraction=_fraction(result['rates'], step_by_step, 'acting', gemm[1]),
    **_common(result, watch),
  )
  with machine.Watch() as watch:
    (result,) = processes.run('agent.act_and_learn', vectorised, plan, [cores])
  peak = result['peak_memory_bytes']
  for name, part in ((ACTING, 'acting'), (LEARNING, 'learning')):
    rates = result[part]['rates']
    yield table.make_row(
      name,
      len(cores),
      'steps/s',
      rates,
      gemm_fraction=_fraction(rates, vectorised, part, gemm[len(cores)]),
      **_common({**result[part], 'peak_memory_bytes': peak}, watch),
    )
  for name, part in ((ACTING, 'acting'), (LEARNING, 'learning')):
    yield table.make_row(
      f'compiling: {name}',
      len(cores),
      's',
      result[f'compile_{part}'],
      others_share=watch.others_share,
    )


def _measure_run(
  workload: settings.Workload, plan: settings.Plan, launch: str, gemm: float
) -> table.Row:
  with machine.Watch() as watch:
    result = end_to_end.measure(workload, plan, launch)
  rates = result['rates']
  return table.make_row(
    run_name(launch, workload),
    len(machine.cores()),
    'steps/s',
    rates,
    gemm_fraction=_fraction(rates, workload, 'both', gemm),
    start_up_seconds=result['start_up_seconds'],
    **_common(result, watch),
  )


def run_name(launch: str, workload: settings.Workload) -> str:
  """Returns the name of the row of a training run."""
  return f'training, {launch}, {workload.kind}'


def _fraction(
  rates: list[float], workload: settings.Workload, part: str, gemm: float
) -> float:
  """Returns the share of the GEMM rate that the median of steps/s makes."""
  median = timing.summarise(rates)['median']
  return median * operations(workload)[part] / gemm


def _common(result: Mapping[str, Any], watch: machine.Watch) -> dict[str, Any]:
  return {
    'cores_used': result.get('cores_used'),
    'peak_memory_bytes': result['peak_memory_bytes'],
    'others_share': watch.others_share,
  }
