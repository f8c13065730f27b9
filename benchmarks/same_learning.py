"""Does an agent learn the same step by step and vectorised?

python -m benchmarks.same_learning --output=runs/same_learning

Both kinds of actors train the same learner on the coordination game, seed by
seed. Said before any run: the **final return** of a run is the mean over agents
and episodes of the returns of those that ended in the last tenth of the
environment steps. Learning is the same if the means over seeds of
both kinds differ by less than 5% of the best return, and Welch's t-test has
p > 0.01.
"""

import dataclasses
import functools
import json
import os
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from absl import app, flags, logging
from scipy import stats

from benchmarks import machine, plots
from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.runs import checkpoint, csv_log, loggers, run_dir

# Of the final return.
LAST_PART = 0.1
# Of the criterion: of the best return, and of the test.
MAX_DIFFERENCE, MIN_P = 0.05, 0.01

# By kind of actor: environments played at once. Eight unrolls are a batch.
KINDS = {'step by step': 0, 'vectorised': 8}
GAME = {'num_agents': 2, 'num_actions': 3, 'episode_length': 20}
OPTIMUM = float(GAME['episode_length'])  # Of an agent, 1 a step.

_OUTPUT = flags.DEFINE_string(
  'output', 'runs/same_learning', 'A folder for the runs, a table and a plot.'
)
_NUM_SEEDS = flags.DEFINE_integer('num_seeds', 8, 'Of each kind.')
_NUM_STEPS = flags.DEFINE_integer('num_steps', 10_000, 'Of a run.')


@dataclasses.dataclass(frozen=True)
class Run:
  """What came of one training run.

  Attributes:
    kind: of its actor.
    seed: of all its randomness.
    final_return: mean of an agent, see above.
    environment_steps: that were played.
    learner_steps: that were learned.
    seconds: that it took, compiling included.
    curve: environment steps, and the mean return of an agent, of every row.
  """

  kind: str
  seed: int
  final_return: float
  environment_steps: int
  learner_steps: int
  seconds: float
  curve: dict[str, list[float]]


class _Directory(run_dir.RunDirectory):
  """Logs every row, and not one a second at most, as fast as that may be."""

  def make_logger(self, label, steps_key=loggers.STEPS_KEY):
    return loggers.make_logger(self.logs, label, steps_key, time_delta=0)


class _Experiment(programs.Experiment):
  """Logs every row."""

  @property
  def directory(self) -> run_dir.RunDirectory:
    return _Directory(self.run_dir)


def final_return(
  steps: np.ndarray, returns: np.ndarray, num_steps: int
) -> float:
  """Returns the mean return in the last tenth of a run.

  Args:
    steps: [R], environment steps at which each row was logged. A row is an
      episode, or the mean of one of each environment: they end together.
    returns: [R], an agent's mean return in each.
    num_steps: the budget of the run.

  Raises:
    ValueError: no episode ended there.
  """
  is_last = steps > (1 - LAST_PART) * num_steps
  if not is_last.any():
    raise ValueError(
      f'No episode ended in the last tenth of {num_steps} steps.'
    )
  return float(returns[is_last].mean())


def compare(
  finals: Mapping[str, Sequence[float]], optimum: float
) -> dict[str, Any]:
  """Compares the final returns of two kinds.

  Args:
    finals: kind -> final return of each seed.
    optimum: the best return.

  Returns:
    'mean' and 'std' (of a sample) by kind; 'difference' of the means, as a part
    of the optimum; 'p' of Welch's t-test, None if nothing varies; and 'same',
    whether the criterion above holds.
  """
  first, second = (np.asarray(values, float) for values in finals.values())
  difference = abs(first.mean() - second.mean()) / optimum
  p = None
  if first.std() or second.std():
    p = float(stats.ttest_ind(first, second, equal_var=False).pvalue)
  return {
    'mean': {kind: float(np.mean(x)) for kind, x in finals.items()},
    'std': {kind: float(np.std(x, ddof=1)) for kind, x in finals.items()},
    'difference': float(difference),
    'p': p,
    'same': bool(difference < MAX_DIFFERENCE and (p is None or p > MIN_P)),
  }


def train(kind: str, seed: int, num_steps: int, folder: pathlib.Path) -> Run:
  """Trains one population, in the one-process program.

  Raises:
    RuntimeError: the run failed.
  """
  config = influence.InfluenceConfig(
    hidden_size=32,
    influence_weight=0.1,
    influence_curriculum_steps=1000,
    moa_loss_weight=1.0,
    reward_scale=1.0,
    entropy_cost=0.003,
    learning_rate=5e-3,
    learning_rate_end=1e-4,
    learning_rate_steps=10_000,
    unroll_length=10,
    batch_size=8,
  )
  experiment = _Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config, **GAME
    ),
    functional_environment=environments.functional('coordination', **GAME),
    network_factory=functools.partial(influence.make_networks, config=config),
    batch_size=config.batch_size,
    num_steps=num_steps,
    num_environments=KINDS[kind],
    seed=seed,
    run_dir=folder,
  )
  started = time.monotonic()
  if programs.launch(programs.make_program(experiment), 'single'):
    raise RuntimeError(f'{kind}, seed {seed}, failed: see {folder}.')
  seconds = time.monotonic() - started
  log = csv_log.read_log(experiment.directory.logs / 'actor_0.csv')
  counts = checkpoint.load(experiment.directory.checkpoint_path).counts
  steps = log['environment_steps']
  returns = log['collective_return'] / GAME['num_agents']
  return Run(
    kind=kind,
    seed=seed,
    final_return=final_return(steps, returns, num_steps),
    environment_steps=int(counts['environment_steps']),
    learner_steps=int(counts['learner_steps']),
    seconds=seconds,
    curve={'steps': steps.tolist(), 'returns': returns.tolist()},
  )


def write(
  folder: pathlib.Path, num_steps: int, runs: Sequence[Run]
) -> dict[str, Any]:
  """Writes same_learning.json and .png; returns the comparison."""
  finals = {
    kind: [run.final_return for run in runs if run.kind == kind]
    for kind in KINDS
  }
  found = compare(finals, OPTIMUM)
  report = {
    'machine': machine.describe(),
    'game': GAME,
    'optimum': OPTIMUM,
    'num_steps': num_steps,
    'comparison': found,
    'runs': [dataclasses.asdict(run) for run in runs],
  }
  text = json.dumps(report) + os.linesep
  (folder / 'same_learning.json').write_text(text, encoding='utf-8')
  curves = {
    kind: [run.curve for run in runs if run.kind == kind] for kind in KINDS
  }
  plots.write_learning(folder / 'same_learning.png', curves, OPTIMUM)
  return found


def main(argv: Sequence[str]) -> None:
  """Trains all runs in turn, and compares them."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  logging.set_verbosity(logging.WARNING)
  folder = pathlib.Path(_OUTPUT.value)
  runs = []
  for seed in range(_NUM_SEEDS.value):
    for kind in KINDS:
      name = f'{kind.replace(" ", "_")}_{seed}'
      run = train(kind, seed, _NUM_STEPS.value, folder / 'runs' / name)
      runs.append(run)
      print(
        f'seed {seed}, {kind}: final return {run.final_return:.2f} of '
        f'{OPTIMUM:.0f}, {run.learner_steps} learner steps, '
        f'{run.seconds:.0f} s',
        flush=True,
      )
  found = write(folder, _NUM_STEPS.value, runs)
  print(f'\n{"final return":14}{"mean":>8}{"std":>8}')
  for kind in KINDS:
    print(f'{kind:14}{found["mean"][kind]:8.2f}{found["std"][kind]:8.2f}')
  p = 'none, nothing varies' if found['p'] is None else f'{found["p"]:.3f}'
  print(
    f'The means differ by {found["difference"]:.1%} of the optimum; Welch p: '
    f'{p}. Learning is {"the same" if found["same"] else "NOT the same"}.\n'
    f'Written to {folder}.'
  )


if __name__ == '__main__':
  app.run(main)
