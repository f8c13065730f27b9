"""Trains Box Trapped with and without pay for influence, and compares them.

  python examples/box_trapped.py

Does an agent let another one out of its box, although it loses an apple by it?
Each run takes less than a minute on one core. The page that comes of it opens
with the answer. Ctrl-C stops it; the same command with --run_dir goes on.
"""

import dataclasses
import pathlib
import sys
import time
from collections.abc import Sequence

import tyro

from influence_acme import checks, playing, reports, training, xla_threads
from influence_acme.playing import results
from influence_acme.reproduction import openings, runner
from influence_acme.runs import checkpoint, run_dir
from influence_acme.system import practical

_OPENINGS_NAME = 'openings.json'
_VARIANTS = ('baseline', 'visible_actions', 'basic_influence')


@dataclasses.dataclass(frozen=True)
class Comparison:
  """Options.

  Attributes:
    variants: to compare, of 'baseline', 'visible_actions' and
      'basic_influence'; the last one gets the page.
    seeds: of the runs of each.
    num_steps: environment steps of a run.
    num_episodes: to count openings in, after each run.
    run_dir: of all runs, VARIANT/seed_S; a new one under runs/ if empty.
    draw: draw what lies in `run_dir`, and train nothing.
  """

  variants: tuple[str, ...] = ('baseline', 'basic_influence')
  seeds: tuple[int, ...] = (0,)
  num_steps: int = 300_000
  num_episodes: int = 100
  run_dir: str = ''
  draw: bool = False

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    for name in ('variants', 'seeds'):
      if not getattr(self, name):
        raise ValueError(f'{name} is (): it must hold at least one.')
    for variant in self.variants:
      if variant not in _VARIANTS:
        raise ValueError(
          f'variants has {variant!r}: each must be of {", ".join(_VARIANTS)}.'
        )
    checks.count(self, 'num_steps', 'num_episodes')
    if self.draw and not self.run_dir:
      raise ValueError("run_dir is '': it must name what is to be drawn.")


def train(
  options: Comparison, variant: str, seed: int, path: pathlib.Path
) -> int:
  """Trains one population, as far as it is not, and counts its openings.

  Args:
    options: of the comparison.
    variant: of the agents.
    seed: of the run.
    path: of the run.

  Returns:
    The exit code of the run.
  """
  directory = run_dir.RunDirectory(path)
  config = training.TrainConfig(
    agent=practical.make_config('box_trapped', variant),
    game='box_trapped',
    num_steps=options.num_steps,
    seed=seed,
    run_dir=str(path),
  )
  code = runner.finish(
    directory,
    options.num_steps,
    _OPENINGS_NAME,
    lambda resume: training.run(dataclasses.replace(config, resume=resume)),
  )
  if code or (path / _OPENINGS_NAME).exists():
    return code
  evaluation = playing.evaluate(
    playing.load(path), num_episodes=options.num_episodes
  )
  results.write(
    directory.evaluation_path, evaluation, {'episodes': options.num_episodes}
  )
  counted = openings.measure(variant, seed, evaluation.records)
  openings.write(path / _OPENINGS_NAME, counted)
  return 0


def draw(directory: pathlib.Path) -> str:
  """Draws all that was counted below a directory; tells it in a sentence."""
  found = [openings.read(x) for x in sorted(directory.rglob('openings*.json'))]
  if not found:
    raise ValueError(f'{directory} holds no openings.json: train first.')
  for each in found:
    print(f'{each.variant}, seed {each.seed}: opened in {each.share:.0%}.')
  openings.draw(found, directory / 'openings.png')
  told = openings.in_words(found)
  print(told)
  return told


def main(argv: Sequence[str] | None = None) -> int:
  """Trains, counts, draws, and writes a page."""
  xla_threads.disable_intra_op_threads()  # Before JAX's first array.
  try:
    return run(tyro.cli(Comparison, args=argv, description=__doc__))
  except (OSError, ValueError, checkpoint.CheckpointError) as error:
    print(error, file=sys.stderr)
    return 2


def run(options: Comparison) -> int:
  """Does what the options ask for, and returns the exit code."""
  directory = pathlib.Path(
    options.run_dir or time.strftime('runs/box_trapped/%Y%m%d-%H%M%S')
  )
  paths = {
    (variant, seed): directory / variant / f'seed_{seed}'
    for variant in options.variants
    for seed in options.seeds
  }
  for (variant, seed), path in paths.items() if not options.draw else ():
    code = train(options, variant, seed, path)
    if code:
      return code
  told = draw(directory)
  if not options.draw:
    directory_of_last = run_dir.RunDirectory(path)
    directory_of_last.headline_path.write_text(told, encoding='utf-8')
    print(f'Open {reports.write(path)} in a browser.')
  return 0


if __name__ == '__main__':
  sys.exit(main())
