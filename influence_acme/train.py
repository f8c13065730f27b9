"""Trains agents that influence each other, in one process.

  python -m influence_acme.train --game=cleanup --variant=moa

Stop it with Ctrl-C; go on with --resume --run_dir=THE_SAME. --help lists every
option.
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated

import tyro

from influence_acme import checks, environments
from influence_acme.system import config as system_config
from influence_acme.system import practical, variants
from influence_acme.training import config as config_lib

_PROG = 'python -m influence_acme.train'
_PRESETS = ('practical', 'paper')


@dataclasses.dataclass(frozen=True)
class Preset:
  """Options that the defaults of all others depend on.

  Attributes:
    game: name of an environment.
    variant: of the agents.
    preset: 'practical', which learns these games in millions of steps; or
      'paper', with the paper's numbers, for hundreds of millions.
  """

  game: str = 'cleanup'
  variant: str = 'moa'
  preset: str = 'practical'

  def __post_init__(self):
    """Raises ValueError: a name is unknown."""
    checks.choice(self, 'game', environments.names())
    checks.choice(self, 'variant', variants.VARIANTS)
    checks.choice(self, 'preset', _PRESETS)


# tyro's own tuples are separated by spaces.
_NUMBERS = tyro.constructors.PrimitiveConstructorSpec(
  nargs=1,
  metavar='INT,INT,...',
  instance_from_str=lambda args: tuple(int(x) for x in args[0].split(',')),
  is_instance=lambda x: isinstance(x, tuple),
  str_from_instance=lambda numbers: [','.join(map(str, numbers))],
)


@dataclasses.dataclass(frozen=True)
class Options(config_lib.TrainConfig):
  """All options.

  Attributes:
    preset: practical or paper.
  """

  seeds: Annotated[tuple[int, ...], _NUMBERS] = ()
  preset: str = 'practical'


def parse(argv: Sequence[str]) -> config_lib.TrainConfig:
  """Returns the configuration that command-line arguments ask for.

  Args:
    argv: without the program's name.

  Returns:
    The configuration.

  Raises:
    ValueError: a value is out of range.
  """
  chosen, _ = tyro.cli(
    Preset,
    args=[x for x in argv if x not in ('-h', '--help')],
    prog=_PROG,
    return_unknown_args=True,
  )
  agent = system_config.InfluenceConfig(variant=chosen.variant)
  if chosen.preset == 'practical':
    agent = practical.make_config(chosen.game, chosen.variant)
  options = tyro.cli(
    Options,
    default=Options(agent=agent, game=chosen.game, preset=chosen.preset),
    args=[*argv],
    prog=_PROG,
    description=__doc__,
    config=(tyro.conf.OmitArgPrefixes,),
  )
  return config_lib.TrainConfig(
    **{
      field.name: getattr(options, field.name)
      for field in dataclasses.fields(config_lib.TrainConfig)
    }
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Trains, and returns the exit code."""
  try:
    config = parse(sys.argv[1:] if argv is None else argv)
  except ValueError as error:
    print(error, file=sys.stderr)
    return 2
  # Options are read, and refused, without loading JAX.
  from influence_acme import xla_threads
  from influence_acme.runs import checkpoint, signals

  with signals.deferred():
    from influence_acme.training import runner
  # Before JAX's first array: each thread computes its products alone.
  xla_threads.disable_intra_op_threads()
  try:
    return runner.run(config)
  except (ValueError, OSError, checkpoint.CheckpointError) as error:
    print(error, file=sys.stderr)
    return 2


if __name__ == '__main__':
  sys.exit(main())
