"""The whole agent learns a game, through the one-process program."""

import functools

from influence_acme import environments, programs, wrappers
from influence_acme.agents import influence
from influence_acme.programs import csv_log

NUM_STEPS, OPTIMUM = 10_000, 40.0  # Two agents, 20 steps, 1 for each match.


def _make_environment(seed):
  return wrappers.OthersActionsWrapper(
    environments.make(
      'coordination', num_actions=3, episode_length=20, seed=seed
    )
  )


def test_two_agents_learn_to_coordinate(tmp_path):
  config = influence.InfluenceConfig(
    hidden_size=32,
    influence_weight=0.1,
    influence_curriculum_steps=1000,
    moa_loss_weight=1.0,
    reward_scale=1.0,
    learning_rate=5e-3,
    learning_rate_end=1e-4,
    learning_rate_steps=NUM_STEPS,
    unroll_length=10,
    batch_size=8,
  )
  experiment = programs.Experiment(
    builder_factory=functools.partial(influence.InfluenceBuilder, config),
    environment_factory=_make_environment,
    network_factory=functools.partial(influence.make_networks, config=config),
    batch_size=config.batch_size,
    num_steps=NUM_STEPS,
    run_dir=tmp_path / 'run',
  )
  assert programs.launch(programs.make_program(experiment), 'single') == 0
  log = csv_log.read(experiment.directory.logs / 'actor_0.csv')
  last = log['environment_steps'] > 0.8 * NUM_STEPS
  assert log['collective_return'][last].mean() >= 0.95 * OPTIMUM
