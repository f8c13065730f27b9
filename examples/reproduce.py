"""Runs an experiment of the paper, seed by seed, and reports it beside it.

  python examples/reproduce.py --experiment=moa --game=cleanup \
    --variant=baseline,moa_baseline,moa --seeds=0,1,2,3,4 --num_steps=500000000

Each run takes about 30 hours on two cores, at the 4,700 steps/s of `moa`. Stop
it with Ctrl-C; the same command goes on where it was. --search=N draws N
settings in place of the paper's one.

Runs may be made by several workers: --shard=0/4 makes each fourth one, --list
prints one command for each, and who starts the same command once more takes
what nobody else has. Copy the directories together for the report.
"""

import shlex
import sys
from collections.abc import Sequence

from absl import app, flags, logging

from influence_acme import reproduction, xla_threads
from influence_acme.reproduction import workers
from influence_acme.reproduction.sweep import LAUNCHES
from influence_acme.system import presets

_EXPERIMENT = flags.DEFINE_enum(
  'experiment',
  None,
  list(presets.EXPERIMENTS),
  'Of the paper; the one that has the variants, or moa, if not given.',
)
_GAME = flags.DEFINE_enum('game', 'cleanup', presets.GAMES, 'What is played.')
_VARIANT = flags.DEFINE_list(
  'variant', [], 'One or more; all that the agent has if not given.'
)
_SEEDS = flags.DEFINE_list('seeds', ['0', '1', '2', '3', '4'], 'Of the runs.')
_NUM_STEPS = flags.DEFINE_integer('num_steps', 500_000_000, 'Of each run.')
_NUM_ENVIRONMENTS = flags.DEFINE_integer(
  'num_environments', 144, 'At once; 0 with [acme]: one, step by step.'
)
_NUM_AGENTS = flags.DEFINE_integer('num_agents', 5, 'Agents in each.')
_EPISODE_LENGTH = flags.DEFINE_integer('episode_length', 1000, 'In steps.')
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
  experiment = _EXPERIMENT.value or presets.experiment_of(_VARIANT.value)
  variants = _VARIANT.value or [
    variant
    for *key, variant in presets.available()
    if key == [experiment, game]
  ]
  name = f'{experiment}_{game}{"_search" if _SEARCH.value else ""}'
  return reproduction.Sweep(
    path=_SWEEP_DIR.value or f'runs/reproduce/{name}',
    experiment=experiment,
    game=game,
    variants=tuple(variants),
    seeds=tuple(map(int, _SEEDS.value)),
    num_steps=_NUM_STEPS.value,
    num_environments=_NUM_ENVIRONMENTS.value,
    num_agents=_NUM_AGENTS.value,
    episode_length=_EPISODE_LENGTH.value,
    launch=_LAUNCH.value,
    search=_SEARCH.value,
    search_seed=_SEARCH_SEED.value,
  )


def _command(shard: str) -> str:
  """Returns the command line of one shard, with the flags that were given."""
  own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
  given = [
    flag.serialize()
    for flag in own
    if flag.present and flag.name not in ('list', 'shard', 'report_only')
  ]
  return shlex.join(
    ['python', 'examples/reproduce.py', *given, f'--shard={shard}']
  )


def main(argv: Sequence[str]) -> int:
  """Runs what is not finished, then reports all that there is."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  xla_threads.disable_intra_op_threads()  # Before JAX's first array.
  try:
    sweep = make_sweep()
    workers.shard(sweep.runs(), _SHARD.value)
    if not (_LIST.value or _REPORT_ONLY.value):
      sweep.prepare()
  except (OSError, ValueError) as error:
    print(error, file=sys.stderr)
    return 2
  return _run(sweep)


def _run(sweep: reproduction.Sweep) -> int:
  """Does with a sweep what the flags ask for."""
  if _LIST.value:
    count = len(sweep.runs())
    for i in range(count):
      print(_command(f'{i}/{count}'))
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
