"""Trains one seed of Box Trapped, and counts in how many episodes it is opened.

  python examples/box_trapped.py --variant=basic_influence --seed=0
  python examples/box_trapped.py --variant=baseline --seed=0

Does an agent let another one out of its box, although it loses an apple by it?
Takes about 4 minutes on two cores. --draw=DIR draws all that lies below it.
"""

import functools
import itertools
import pathlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from absl import app, flags, logging

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
from influence_acme import environments, programs
from influence_acme.agents import influence
from influence_acme.programs import evaluation
from influence_acme.reproduction import openings
from influence_acme.runs import curves, failures

_VARIANT = flags.DEFINE_enum(
  'variant',
  'basic_influence',
  ['baseline', 'visible_actions', 'basic_influence'],
  'What agents are, and are paid for.',
)
_SEED = flags.DEFINE_integer('seed', 0, 'Of all randomness.')
_NUM_STEPS = flags.DEFINE_integer('num_steps', 2_000_000, 'To learn from.')
_NUM_EPISODES = flags.DEFINE_integer('num_episodes', 100, 'To evaluate in.')
_LAUNCH = flags.DEFINE_enum(
  'launch', 'threads', programs.LAUNCHES, 'How to run the program.'
)
_RUN_DIR = flags.DEFINE_string('run_dir', '', 'A new one if not given.')
_RESUME = flags.DEFINE_boolean('resume', False, 'Go on with a stopped run.')
_DRAW = flags.DEFINE_string('draw', '', 'Draw what lies here; train nothing.')

_NUM_ENVIRONMENTS = 32
# An apple is worth the reward scale, 0.1. At first entropy is worth as much, so
# that agent_0 opens now and then whatever it costs: agent_1 must see many
# openings before it knows how to answer them, and until then nothing pays.
_ENTROPY_COSTS: dict[str, Any] = {
  'entropy_cost_start': 0.12,
  'entropy_cost': 0.01,
  'entropy_cost_steps': 1_500_000,
}
_PAY: dict[str, Any] = {
  'influence_weight': 4.0,
  'influence_curriculum_steps': 1,
}


def make_experiment() -> programs.Experiment:
  """Returns what the flags ask for."""
  variant = _VARIANT.value
  config = influence.InfluenceConfig(
    variant=variant,
    batch_size=_NUM_ENVIRONMENTS,
    max_queue_size=2 * _NUM_ENVIRONMENTS,
    unroll_length=30,  # An episode.
    # An episode has 30 steps. With a longer sight agent_0 puts opening off: it
    # is paid best for what is rare, and in a third of episodes it comes to
    # nothing.
    discount=0.95,
    learning_rate=3e-3,
    learning_rate_end=1.5e-4,
    learning_rate_steps=2_000_000,
    **_ENTROPY_COSTS,
    **(_PAY if variant == 'basic_influence' else {}),
  )
  own_flags = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
  name = f'{variant}_{_SEED.value}_{time.strftime("%Y%m%d-%H%M%S")}'
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'box_trapped', config
    ),
    functional_environment=environments.functional('box_trapped'),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=_NUM_STEPS.value,
    num_environments=_NUM_ENVIRONMENTS,
    seed=_SEED.value,
    run_dir=_RUN_DIR.value or f'runs/box_trapped/{name}',
    resume=_RESUME.value,
    identity={'environment': 'box_trapped'},
    config={'agent': config, **{flag.name: flag.value for flag in own_flags}},
  )


def evaluate(experiment: programs.Experiment) -> openings.Openings:
  """Plays the episodes in which openings are counted."""
  episodes = itertools.islice(
    evaluation.episodes(experiment), _NUM_EPISODES.value
  )
  return openings.measure(_VARIANT.value, _SEED.value, list(episodes))


def draw(directory: pathlib.Path) -> None:
  """Draws all that was evaluated below a directory, and tells the shares."""
  found = [openings.read(x) for x in sorted(directory.rglob('openings*.json'))]
  for each in found:
    print(f'{each.variant}, seed {each.seed}: opened in {each.share:.0%}.')
  openings.draw(found, directory / 'openings.png')


def main(argv: Sequence[str]) -> int:
  """Trains, evaluates, and writes both down."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  if _DRAW.value:
    draw(pathlib.Path(_DRAW.value))
    return 0
  experiment = make_experiment()
  code = programs.launch(programs.make_program(experiment), _LAUNCH.value)
  directory = experiment.directory
  with failures.optional('curves.png'):
    curves.write_curves(directory)
  if code == 0:
    evaluated = evaluate(experiment)
    openings.write(directory.path / 'openings.json', evaluated)
    draw(directory.path)
  return code


if __name__ == '__main__':
  app.run(main)
