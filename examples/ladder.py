"""Trains variants of one game with several seeds each, and compares them.

  python examples/ladder.py --rung=cleanup_small --variants baseline prosocial

All variants have the settings that learn the game (`system.practical`); only
what a variant means differs. --commands prints one self-contained command for
each run, --shard=0/4 runs each fourth one, and the same command goes on after
Ctrl-C. The runs may be made anywhere and copied together: --report-only
compares what is there, and names what is missing.
"""

import dataclasses
import pathlib
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import ladder_page
import numpy as np
import tyro

from influence_acme import training, xla_threads
from influence_acme.reproduction import workers
from influence_acme.runs import checkpoint, config_file, curves, run_dir
from influence_acme.system import practical, variants

POINTS = 50  # Of a curve.
# Column -> logged quantities that are added up.
COLUMNS = {
  'collective_return': 'collective_return',
  'apples': 'apples/',
  'waste_cleaned': 'waste_cleaned/',
  'beams': 'beams/',
  'influence': 'influence/',
  'entropy': 'entropy',
}
# Environment steps of a run.
RUNGS = {
  'cleanup_small': 2_000_000,
  'harvest_small': 2_000_000,
  'cleanup': 10_000_000,
  'harvest': 10_000_000,
}


@dataclasses.dataclass(frozen=True)
class Ladder:
  """Options of a comparison.

  Attributes:
    rung: name of the game.
    variants: to compare; all if empty.
    seeds: of the runs of each.
    num_steps: environment steps of a run; 0 for those of the rung.
    share: of influence in the return of variants that are rewarded for it, see
      `normalise_influence`; 0 for the paper's plain sum.
    directory: of the runs, RUNG/VARIANT/seed_S.
    output: directory of the JSON, picture and page; none if empty.
    shard: i/n runs the runs i, i + n, ...
    commands: whether to print the commands, and run nothing.
    report_only: whether to compare what is there, and run nothing.
  """

  rung: str = 'cleanup_small'
  variants: tuple[str, ...] = ()
  seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
  num_steps: int = 0
  share: float = 0.3
  directory: str = 'runs/ladder'
  output: str = ''
  shard: str = '0/1'
  commands: bool = False
  report_only: bool = False

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    if self.rung not in RUNGS:
      raise ValueError(f'rung is {self.rung!r}: choose one of {list(RUNGS)}.')
    for variant in self.variants:
      variants.check(variant)
    workers.shard((), self.shard)

  def runs(self) -> list[training.TrainConfig]:
    """Returns the runs: by seed, then variant."""
    return [
      self._make_config(variant, seed)
      for seed in self.seeds
      for variant in self.variants or variants.VARIANTS
    ]

  def _make_config(self, variant: str, seed: int) -> training.TrainConfig:
    path = pathlib.Path(self.directory, self.rung, variant, f'seed_{seed}')
    share: dict[str, Any] = {}
    if self.share and variant in variants.names(rewarded=True):
      share = {'normalise_influence': True, 'influence_weight': self.share}
    return training.TrainConfig(
      agent=practical.make_config(self.rung, variant, **share),
      game=self.rung,
      num_steps=self.num_steps or RUNGS[self.rung],
      seed=seed,
      run_dir=str(path),
      resume=(path / 'checkpoint').exists(),
    )


def command(config: training.TrainConfig) -> str:
  """Returns the shell command of a run."""
  options = {
    'game': config.game,
    'variant': config.agent.variant,
    'num-steps': config.num_steps,
    'seed': config.seed,
    'run-dir': config.run_dir,
  }
  words = ['python', '-m', 'influence_acme.train']
  words += [f'--{name}={value}' for name, value in options.items()]
  if config.agent.normalise_influence:
    weight = config.agent.influence_weight
    words += ['--normalise-influence', f'--influence-weight={weight}']
  return shlex.join(words)


def summarise(config: training.TrainConfig) -> dict[str, Any] | None:
  """Returns the curves of a finished run; None if it is not finished."""
  directory = run_dir.RunDirectory(config.run_dir)
  done = _steps_done(config)
  if done < config.num_steps:
    return None
  series = curves.load(directory.logs)
  grid = np.linspace(config.num_steps / POINTS, config.num_steps, POINTS)
  read: dict[str, list[float]] = {}
  for column, name in COLUMNS.items():
    parts = [x for key, x in series.items() if key.startswith(name)]
    # NaN of what was not logged, as no episode has ended.
    total = sum(
      (ladder_page.means(part, grid) for part in parts),
      np.zeros(POINTS) if parts else np.full(POINTS, np.nan),
    )
    read[column] = [float(f'{value:.5g}') for value in total]
  walltime = series['learner_walltime'].values
  return {
    'variant': config.agent.variant,
    'seed': config.seed,
    'environment_steps': done,
    'wall_seconds': round(float(walltime.max())),
    'commit': config_file.read(directory.config_path).get('commit', ''),
    'command': command(config),
    'curves': {'environment_steps': grid.tolist(), **read},
  }


def _steps_done(config: training.TrainConfig) -> int:
  directory = run_dir.RunDirectory(config.run_dir)
  return checkpoint.steps_done(directory.checkpoint_path) or 0


def report(ladder: Ladder) -> str:
  """Compares the finished runs; writes the files if there is an output."""
  found = [(config, summarise(config)) for config in ladder.runs()]
  results = {
    'rung': ladder.rung,
    'num_steps': ladder.num_steps or RUNGS[ladder.rung],
    'runs': [run for _, run in found if run],
  }
  text = ladder_page.page(results)
  if ladder.output and results['runs']:
    output = pathlib.Path(ladder.output)
    output.mkdir(parents=True, exist_ok=True)
    config_file.write_json(output / f'{ladder.rung}.json', results)
    (output / f'{ladder.rung}.md').write_text(text, encoding='utf-8')
    ladder_page.draw(results, output / f'{ladder.rung}.png')
  missing = [config.run_dir for config, run in found if not run]
  return text + ''.join(f'not finished: {x}\n' for x in missing)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs what is not finished, then compares all that there is."""
  xla_threads.disable_intra_op_threads()  # Before JAX's first array.
  try:
    ladder = tyro.cli(Ladder, args=argv, description=__doc__)
  except ValueError as error:
    print(error, file=sys.stderr)
    return 2
  configs = workers.shard(ladder.runs(), ladder.shard)
  if ladder.commands:
    print('\n'.join(map(command, configs)))
    return 0
  failed = False
  for config in configs if not ladder.report_only else []:
    if _steps_done(config) < config.num_steps:
      code = _run(config)
      if code > 2:
        return code  # It was stopped.
      failed |= code > 0
  print(report(ladder))
  return int(failed)


def _run(config: training.TrainConfig) -> int:
  """Runs one, and returns its exit code: 2 if it cannot start."""
  try:
    return training.run(config)
  except (OSError, ValueError, checkpoint.CheckpointError) as error:
    print(error, file=sys.stderr)
    return 2


if __name__ == '__main__':
  sys.exit(main())
