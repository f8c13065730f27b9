"""Trains an agent of Acme's, paid for influence, in Acme's own layout.

Run by `layout_test`, with the kind of launch, a directory to write to and the
agent's name as arguments.
"""

from influence_acme import compat  # Before acme.jax.

# isort: split

import functools
import pathlib
import sys

import acme
import launchpad as lp
import stock_agents
from absl import flags
from acme.jax.layouts import distributed_layout
from acme.utils import loggers

from influence_acme import programs
from influence_acme.agents import intrinsic

# What PPO's queue holds is played before its learner has taken a step: 1,004
# sequences of 8 steps.
MAX_STEPS = {'r2d2': 2_000, 'ppo': 12_000}


def make_networks(name, spec):
  return stock_agents.of_spec(name, spec, **stock_agents.WAITING[name]).networks


def make_program(directory, name):
  """Returns Acme's distributed program of two actors."""

  def make_logger(name):
    return loggers.CSVLogger(str(directory), name, add_uid=False, flush_every=1)

  environment = stock_agents.make_environment()
  agent = stock_agents.make(
    name,
    environment,
    lambda: make_logger('learner'),
    **stock_agents.WAITING[name],
  )
  builder = intrinsic.InfluenceLearnerBuilder(
    agent.builder,
    moa_config=stock_agents.moa_config(
      environment,
      learning_rate=2e-2,
      burn_in_length=stock_agents.burn_in(agent),
    ),
    logger_fn=lambda: make_logger('influence'),
  )
  return distributed_layout.DistributedLayout(
    seed=0,
    environment_factory=stock_agents.make_environment,
    network_factory=functools.partial(make_networks, name),
    builder=programs.StoppableBuilder(builder),
    policy_network=lambda _: agent.policy,
    num_actors=2,
    environment_spec=acme.make_environment_spec(environment),
    actor_logger_fn=lambda actor_id: loggers.NoOpLogger(),
    max_number_of_steps=MAX_STEPS[name],
    checkpointing_config=distributed_layout.CheckpointingConfig(
      directory=str(directory), add_uid=False
    ),
  ).build()


def main(launch_type, directory, name):
  flags.FLAGS(sys.argv[:1])  # Launchpad reads flags.
  program = make_program(pathlib.Path(directory), name)
  resources = {}
  if launch_type == 'local_mp':
    resources = compat.local_resources(program)
  manager = lp.launch(
    program,
    launch_type=launch_type,
    terminal='current_terminal',
    local_resources=resources,
  )
  manager.wait()


if __name__ == '__main__':
  main(*sys.argv[1:])
