"""Trains agents that influence each other on Cleanup, through Launchpad.

  python examples/cleanup_moa.py --num_steps=5000000 --num_environments=144

It takes about 25 minutes on two cores. Stop it with Ctrl-C; go on with --resume
--run_dir=THE_SAME.
"""

import functools
import time
from collections.abc import Sequence

from absl import app, flags, logging

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split
from influence_acme import environments, programs, reports
from influence_acme.agents import influence
from influence_acme.programs import evaluation
from influence_acme.runs import curves, failures

_LAUNCH = flags.DEFINE_enum(
  'launch', 'threads', programs.LAUNCHES, 'How to run the program.'
)
_VARIANT = flags.DEFINE_enum('variant', 'moa', influence.VARIANTS, 'Of agents.')
_NUM_STEPS = flags.DEFINE_integer('num_steps', 1_000_000, 'Of all actors.')
_NUM_ACTORS = flags.DEFINE_integer('num_actors', 1, 'Nodes that play.')
_NUM_ENVIRONMENTS = flags.DEFINE_integer(
  'num_environments', 32, 'At once, by each actor; 0: one, step by step.'
)
_NUM_AGENTS = flags.DEFINE_integer('num_agents', 5, 'Agents in each.')
_EPISODE_LENGTH = flags.DEFINE_integer('episode_length', 1000, 'In steps.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of all randomness.')
_RUN_DIR = flags.DEFINE_string('run_dir', '', 'A new one if not given.')
_RESUME = flags.DEFINE_boolean('resume', False, 'Go on with a stopped run.')
_HOSTS = flags.DEFINE_string('hosts', '', 'A file that places the nodes.')
_HOST = flags.DEFINE_string('host', '', 'The one of these that this is.')
_ALLOW_CHANGES = flags.DEFINE_list('allow_changes', [], 'Of a resume.')
_INFLUENCE_WEIGHT = flags.DEFINE_float('influence_weight', 0.62, 'In the end.')
_INFLUENCE_CURRICULUM_STEPS = flags.DEFINE_integer(
  'influence_curriculum_steps', 40_000_000, 'Over which the weight rises.'
)


def make_experiment() -> programs.Experiment:
  """Returns what the flags ask for."""
  game = {
    'num_agents': _NUM_AGENTS.value,
    'episode_length': _EPISODE_LENGTH.value,
  }
  batch_size = _NUM_ENVIRONMENTS.value or 32
  config = influence.InfluenceConfig(
    variant=_VARIANT.value,
    batch_size=batch_size,
    max_queue_size=2 * batch_size,
    influence_weight=_INFLUENCE_WEIGHT.value,
    influence_curriculum_steps=_INFLUENCE_CURRICULUM_STEPS.value,
  )
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'cleanup', config, **game
    ),
    functional_environment=environments.functional('cleanup', **game),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_steps=_NUM_STEPS.value,
    num_actors=_NUM_ACTORS.value,
    num_environments=_NUM_ENVIRONMENTS.value,
    seed=_SEED.value,
    run_dir=_RUN_DIR.value or time.strftime('runs/cleanup_moa/%Y%m%d-%H%M%S'),
    resume=_RESUME.value,
    allow_changes=tuple(_ALLOW_CHANGES.value),
    identity={'environment': 'cleanup'},
  )


def main(argv: Sequence[str]) -> int:
  """Trains, then shows what came of it."""
  if len(argv) > 1:
    raise app.UsageError(f'Unknown argument: {argv[1]}')
  logging.set_verbosity(logging.WARNING)  # Progress has the terminal.
  experiment = make_experiment()
  hosts = programs.read_placement(_HOSTS.value, _HOST.value)
  program = programs.make_program(experiment, hosts)
  code = programs.launch(program, _LAUNCH.value)
  if hosts and not hosts.is_home:
    return code
  with failures.optional('curves.png'):
    curves.write_curves(program.directory)
  if code == 0:
    with failures.optional('The episode'):
      evaluation.write(program.directory, evaluation.evaluate(experiment))
  with failures.optional('report.html'):
    print(f'Open {reports.write(program.directory.path)} in a browser.')
  return code


if __name__ == '__main__':
  app.run(main)
