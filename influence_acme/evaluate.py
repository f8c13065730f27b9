"""Evaluates the trained agents of a run, or of an export.

  python -m influence_acme.evaluate RUN --episodes=100

Prints the returns, with 95% t intervals, and the influence of each agent on
each other; and writes both, with a film, into RUN/evaluation.
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated, TYPE_CHECKING

import tyro

from influence_acme import checks, environments

if TYPE_CHECKING:
  from influence_acme import playing


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
  """Configuration of an evaluation; it checks itself.

  Attributes:
    run: directory of a run, or of an export.
    episodes: how many are played.
    seed: of all randomness.
    greedy: whether agents take the most probable choices instead of samples.
    checkpoint: 'last', or the name of a copy of one in the run's directory.
    game: name of an environment to play in; that of the training if not given.
    num_agents: in the environment, as in training.
    episode_length: in steps; that of the training if not given.
  """

  run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar='RUN')]
  episodes: int = 100
  seed: int = 0
  greedy: bool = False
  checkpoint: str = 'last'
  game: str | None = None
  num_agents: int | None = None
  episode_length: int | None = None

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.count(self, 'episodes')
    checks.count(self, 'seed', low=0)
    if self.game is not None:
      checks.choice(self, 'game', environments.names())
    for name in ('num_agents', 'episode_length'):
      if getattr(self, name) is not None:
        checks.count(self, name)

  def make_environment(
    self, trained: 'environments.FunctionalEnvironment | None'
  ) -> 'environments.FunctionalEnvironment':
    """Makes the environment to play in.

    Args:
      trained: that of the training; None if the run does not name it.

    Raises:
      ValueError: nothing names it, or a field is out of range.
    """
    fields = {
      name: getattr(self, name)
      for name in ('num_agents', 'episode_length')
      if getattr(self, name) is not None
    }
    if self.game is not None:
      return environments.functional(self.game, **fields)
    if trained is None:
      raise ValueError(
        f'{self.run} does not say in which environment it was trained: give '
        f'--game, one of {", ".join(environments.names())}, and what else was '
        'set in training, such as --num_agents. In an environment of your own, '
        'play with influence_acme.load.'
      )
    return dataclasses.replace(trained, **fields)  # type: ignore[type-var]


def run(config: EvaluateConfig) -> 'playing.Evaluation':
  """Evaluates, prints, and writes.

  Args:
    config: of the evaluation.

  Returns:
    The evaluation.

  Raises:
    CheckpointError: the checkpoint is broken.
    OSError: there is no run, or its directory cannot be written.
    ValueError: the run cannot be loaded, or does not fit the environment.
  """
  from influence_acme import playing
  from influence_acme.playing import results
  from influence_acme.runs import run_dir

  policy = playing.load(config.run, config.checkpoint)
  environment = config.make_environment(policy.environment)
  evaluation = playing.evaluate(
    policy,
    environment,
    num_episodes=config.episodes,
    seed=config.seed,
    greedy=config.greedy,
  )
  print(f'{type(environment).__name__}, episodes: {config.episodes}')
  print(results.to_text(evaluation))
  path = run_dir.RunDirectory(config.run).evaluation_path
  results.write(path, evaluation, vars(config))
  print(f'Written to {path}.')
  return evaluation


def main(argv: Sequence[str] | None = None) -> int:
  """Evaluates, and returns the exit code."""
  try:
    config = tyro.cli(
      EvaluateConfig,
      args=argv,
      prog='python -m influence_acme.evaluate',
      description=__doc__,
    )
  except ValueError as error:
    print(error, file=sys.stderr)
    return 2
  # Options are read, and refused, without loading JAX.
  from influence_acme import xla_threads
  from influence_acme.runs import checkpoint

  xla_threads.disable_intra_op_threads()
  try:
    run(config)
  except (ValueError, OSError, checkpoint.CheckpointError) as error:
    print(error, file=sys.stderr)
    return 2
  return 0


if __name__ == '__main__':
  sys.exit(main())
