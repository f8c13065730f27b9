"""Trains agents of one variant on a small game, as processes."""

import functools
import sys

from influence_acme import environments, programs
from influence_acme.agents import influence

NUM_STEPS = 400
GAME = {'num_agents': 3, 'num_actions': 3, 'episode_length': 7}


def make_experiment(variant, num_environments, run_dir):
  config = influence.InfluenceConfig(
    variant=variant,
    hidden_size=8,
    influence_weight=2.0,
    influence_curriculum_steps=NUM_STEPS,
    unroll_length=5,
    batch_size=4,
    max_queue_size=8,
  )
  return programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=functools.partial(
      influence.make_environment, 'coordination', config, **GAME
    ),
    functional_environment=environments.functional('coordination', **GAME),
    network_factory=functools.partial(influence.make_networks, config=config),
    num_environments=int(num_environments),
    num_steps=NUM_STEPS,
    run_dir=run_dir,
  )


def main(*args):
  experiment = make_experiment(*args)
  return programs.launch(programs.make_program(experiment), 'processes')


if __name__ == '__main__':
  sys.exit(main(*sys.argv[1:]))
