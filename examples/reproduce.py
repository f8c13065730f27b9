"""Runs an experiment, seed by seed, and reports it with its controls.

  python examples/reproduce.py --experiment=moa --game=cleanup \
    --variant=baseline,moa_baseline,moa --seeds=0,1,2,3,4 --num_steps=500000000
  python examples/reproduce.py --experiment=practical --game=cleanup_small \
    --variant=baseline,prosocial,moa --seeds=0,1,2 --shares=0.1,0.3

The first has the settings of the paper: each run takes about 30 hours on two
cores, at the 4,700 steps/s of `moa`; --search=N draws N settings around them.
The second has those that learn in millions of steps, in minutes to hours. Stop
it with Ctrl-C; the same command goes on where it was.

Runs may be made by several workers: --shard=0/4 makes each fourth one, --list
prints one command for each, and who starts the same command once more takes
what nobody else has. Copy the directories together for the report.
"""

import sys
from collections.abc import Sequence

from absl import app, flags, logging

from influence_acme import reproduction, xla_threads
from influence_acme.reproduction import commands, runner, settings
from influence_acme.reproduction.sweep import LAUNCHES
from influence_acme.runs import checkpoint
from influence_acme.system import practical, presets, variants

_EXPERIMENT = flags.DEFINE_enum(
  'experiment',
  None,
  list(settings.EXPERIMENTS),
  'Of the paper, or practical; what has the variants, or moa, if not given.',
)
_GAME = flags.DEFINE_enum(
  'game', 'cleanup', list(practical.NUM_STEPS), 'What is played.'
)
_VARIANT = flags.DEFINE_list(
  'variant', [], 'One or more; all that the experiment has if not given.'
)
_SEEDS = flags.DEFINE_list('seeds', ['0', '1', '2', '3', '4'], 'Of the runs.')
_NUM_STEPS = flags.DEFINE_integer(
  'num_steps', None, 'Of each run; 500000000, or what practical settings take.'
)
_NUM_ENVIRONMENTS = flags.DEFINE_integer(
  'num_environments', None, 'At once; 0 with [acme]: one, step by step.'
)
_NUM_AGENTS = flags.DEFINE_integer('num_agents', None, 'Agents in each.')
_EPISODE_LENGTH = flags.DEFINE_integer('episode_length', None, 'In steps.')
_SHARES = flags.DEFINE_list(
  'shares', ['0.3'], 'Of influence in the return, with practical settings.'
)
_LAUNCH = flags.DEFINE_enum(
  'launch', 'single', LAUNCHES, 'The fused trainer; the others need [acme].'
)
_SEARCH = flags.DEFINE_integer('search', 0, 'How many settings to draw.')
_SEARCH_SEED = flags.DEFINE_integer('search_seed', 0, 'Of the draws.')
_SWEEP_DIR = flags.DEFINE_string(
  'sweep_dir', '', 'runs/reproduce/EXPERIMENT_GAME if not given.'
)
_SHARD = flags.DEFINE_string('shard', '0/1', 'i/n: each nth run, from i on.')
_LIST = flags.DEFINE_boolean(
  'list', False, 'Print a command for each run, and run nothing.'
)
_REPORT_ONLY = flags.DEFINE_boolean(
  'report_only', False, 'Report what there is, and run nothing.'
)


def make_sweep() -> reproduction.Sweep:
  """Returns what the flags ask for."""
  game = _GAME.value
  is_small = game not in presets.GAMES
  experiment = _EXPERIMENT.value or (
    settings.PRACTICAL if is_small else presets.experiment_of(_VARIANT.value)
  )
  chosen = _VARIANT.value or [
    variant
    for *key, variant in presets.available()
    if key == [experiment, game]
  ]
  num_steps = 500_000_000
  if experiment == settings.PRACTICAL:
    chosen = chosen or list(variants.VARIANTS)
    num_steps = practical.NUM_STEPS[game]
  name = f'{experiment}_{game}{"_search" if _SEARCH.value else ""}'
  return reproduction.Sweep(
    path=_SWEEP_DIR.value or f'runs/reproduce/{name}',
    experiment=experiment,
    game=game,
    variants=tuple(chosen),
    seeds=tuple(map(int, _SEEDS.value)),
    num_steps=num_steps if _NUM_STEPS.value is None else _NUM_STEPS.value,
    num_environments=_NUM_ENVIRONMENTS.value,
    num_agents=_NUM_AGENTS.value,
    episode_length=_EPISODE_LENGTH.value,
    launch=_LAUNCH.value,
    shares=tuple(map(float, _SHARES.value)),
    search=_SEARCH.value,
    search_seed=_SEARCH_SEED.value,
  )


def main(argv: Sequence[str]) -> int:
  """Runs what is not finished, then reports all that there is."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  xla_threads.disable_intra_op_threads()  # Before JAX's first array.
  try:
    sweep = make_sweep()
    runner.part_of(sweep.runs(), _SHARD.value)
    if not (_LIST.value or _REPORT_ONLY.value):
      sweep.prepare()
    return _run(sweep)
  except (OSError, ValueError, checkpoint.CheckpointError) as error:
    print(error, file=sys.stderr)
    return 2


def _run(sweep: reproduction.Sweep) -> int:
  """Does with a sweep what the flags ask for."""
  if _LIST.value:
    count = len(sweep.runs())
    for i in range(count):
      print(commands.command(sweep, shard=f'{i}/{count}'))
    return 0
  code = 0
  if not _REPORT_ONLY.value:
    code = reproduction.run(sweep, shard=_SHARD.value)
  print(reproduction.write_report(sweep))
  print(f'Curves and tables are in {sweep.directory}.')
  print(f'make report RUN={sweep.directory} puts it all on pages.')
  return code


if __name__ == '__main__':
  app.run(main)
