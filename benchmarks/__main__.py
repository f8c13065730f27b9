"""Measures speed and memory, prints a table and writes a JSON file.

  python -m benchmarks --run=threads --run=processes --repeats=3

README.md explains the rows.
"""

import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from absl import app, flags

from benchmarks import machine, runs, ways

_OUTPUT = flags.DEFINE_string(
  'output', '', 'Path of the JSON file; by default a new one in runs/bench.'
)
_RUN = flags.DEFINE_multi_enum(
  'run', [*ways.WAYS], [*ways.WAYS], 'Ways to run; the first is the base.'
)
_REPEATS = flags.DEFINE_integer('repeats', 3, 'Runs of each way.', 1)
_SMOKE = flags.DEFINE_boolean(
  'smoke', False, 'Measures tiny parts and short runs, only to see it work.'
)
# Keys of a row, and how their values are printed.
_COLUMNS = {
  'name': '<18',
  'cores': '>5',
  'unit': '>8',
  'median': '>9,.0f',
  'min': '>9,.0f',
  'max': '>9,.0f',
  'of_gemm': '>7.1%',
  'cores_used': '>10.2f',
  'peak_gib': '>8.2f',
  'start_seconds': '>13.1f',
}
# As in a training program: a product of matrices stays in its thread, and
# memory that is freed is kept.
_AS_IN_RUNS = {
  'NPROC': '1',
  'MALLOC_MMAP_MAX_': '0',
  'MALLOC_TRIM_THRESHOLD_': str(2**31 - 1),
}


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  # SIGTERM as Ctrl-C, so that what was started is stopped.
  signal.signal(signal.SIGTERM, signal.default_int_handler)
  load = {'before': machine.load()}
  print(_line({name: name for name in _COLUMNS}), flush=True)
  rows = []
  for row in _measure_parts(_SMOKE.value):
    rows.append(row)
    print(_line(row), flush=True)
  chosen = [ways.WAYS[name] for name in _RUN.value]
  seconds = 1.0 if _SMOKE.value else 15.0
  results = runs.measure_in_turn(chosen, _REPEATS.value, seconds)
  for name, result in results.items():
    rows.append(_summarise(name, result, gemm=rows[1]['median']))
    print(_line(rows[-1]))
  ratios = runs.compare(results)
  for name, fields in ratios.items():
    for key, r in fields.items():
      print(f'{name}, {key}: {r["median"]:.2f} ({r["min"]:.2f}-{r["max"]:.2f})')
  load['after'] = machine.load()
  was_idle = max(each['busy'] for each in load.values()) < 0.1
  print(f'The machine was {"" if was_idle else "NOT "}idle: {load}')
  report = {
    'machine': machine.describe(),
    'load': {**load, 'was_idle': was_idle},
    'rows': rows,
    # Without the place of the interpreter, which is this machine's.
    'commands': {
      run.name: ['python', *run.command('FOLDER')[1:]] for run in chosen
    },
    'runs': results,
    'ratios': ratios,
  }
  default = time.strftime('runs/bench/%Y%m%d-%H%M%S.json')
  path = pathlib.Path(_OUTPUT.value or default)
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
  print(f'Written to {path}.')


def flops() -> dict[str, float]:
  """Counts operations of five agents' matrix products, for a step on Cleanup.

  Returns:
    Those of 'acting', in which the MOA is asked about each own action, and of
    'learning': forward, and backward but for the gradient of the pixels.
    Products with one-hot actions, which pick rows of a matrix, count nothing.
  """
  agents, actions, hidden = 5, 9, 128
  conv = 2 * 13 * 13 * (3 * 3 * 3) * 6  # 3 x 3 x 3 to 6, at 13 x 13 places.
  dense = 2 * (13 * 13 * 6 + 32) * 32
  lstm = 2 * (32 + hidden) * 4 * hidden
  head = 2 * hidden * (actions + 1)
  moa_head = 2 * hidden * (agents - 1) * actions
  trunk = conv + 2 * dense + 2 * lstm + head  # Both twice: for the MOA, too.
  row = 3 * (trunk + moa_head) - conv
  return {
    'acting': agents * (trunk + actions * moa_head),
    'learning': agents * row * 21 / 20,  # 20 steps and one to bootstrap.
  }


def _measure_parts(is_smoke: bool) -> Iterator[dict[str, Any]]:
  """Yields rows of GEMM on one core and on all, environment and agent."""
  game: dict[str, Any] = {'name': 'cleanup', 'num_agents': 5}
  size, environment_batches, batch = 1024, [1, 16, 64, 256, 1024], 144
  if is_smoke:
    game = {'name': 'coordination', 'num_agents': 2}  # It compiles fast.
    size, environment_batches, batch = 64, [2], 2
  all_ = machine.cores()
  one = all_[-1:]
  gemm = {}
  for cores in (one, all_):
    row = _measure('gemm', size, cores, is_smoke, {})
    gemm[len(cores)] = row['median']
    yield {**row, 'unit': 'GFLOP/s', 'of_gemm': 1.0}
  for number in environment_batches:
    yield _measure('environment', number, one, is_smoke, game)
  for part, cores in (('acting', one), ('learning', all_)):
    row = _measure(part, batch, cores, is_smoke, game)
    gflops = row['median'] * flops()[part] / 1e9
    yield {**row, 'of_gemm': gflops / gemm[len(cores)]}


def _measure(
  part: str, size: int, cores: list[int], is_smoke: bool, game: dict[str, Any]
) -> dict[str, Any]:
  """Measures a part in a process of its own, bound to cores; returns a row."""
  arguments = json.dumps({'size': size, **game})
  seconds = '0.01' if is_smoke else '0.4'
  done = subprocess.run(
    [sys.executable, '-m', 'benchmarks.parts', part, arguments, seconds],
    capture_output=True,
    cwd=ways.ROOT,
    env={**runs.ENVIRON, **(_AS_IN_RUNS if game else {})},
    preexec_fn=functools.partial(os.sched_setaffinity, 0, cores),
    text=True,
  )
  if done.returncode:
    raise RuntimeError(f'{part} failed:\n{done.stderr[-4000:]}')
  row = {'name': f'{part} x {size}', 'cores': len(cores), 'unit': 'steps/s'}
  return {**row, **runs.summarise(json.loads(done.stdout.splitlines()[-1]))}


def _summarise(
  name: str, results: Sequence[dict[str, float]], gemm: float
) -> dict[str, Any]:
  """Returns the row of a way to run; `gemm` is the GFLOP/s of all cores."""
  fields = {
    key: runs.summarise(result[key] for result in results) for key in results[0]
  }
  rates = fields.pop('steps_per_second')
  row = {'name': name, 'cores': len(machine.cores()), 'unit': 'steps/s'}
  share = rates['median'] * sum(flops().values()) / 1e9 / gemm
  medians = {key: summary['median'] for key, summary in fields.items()}
  return {**row, **rates, 'of_gemm': share, **medians}


def _line(row: dict[str, Any]) -> str:
  """Returns a line of the table; what the row lacks stays blank."""
  cells = []
  for name, spec in _COLUMNS.items():
    width = spec.partition(',')[0].partition('.')[0]
    value = row.get(name, '')
    cells.append(format(value, width if isinstance(value, str) else spec))
  return ' '.join(cells).rstrip()


if __name__ == '__main__':
  app.run(main)
