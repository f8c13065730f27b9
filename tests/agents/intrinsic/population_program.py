"""Stock agents, each paid for influence, as one population of our programs.

Run by `population_test`, with the kind of launch, a directory, the number of
steps and the agents' names as arguments. Whoever is not named is a bot.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import functools
import sys
from typing import Any

import acme
import numpy as np
import stock_agents
from absl import flags

from influence_acme import environments, multiagent, programs, wrappers
from influence_acme.agents import intrinsic

NUM_AGENTS = 4
VARIABLES = {'impala': 'network', 'r2d2': 'actor_variables', 'ppo': 'network'}


def make_environment(seed):
  game = environments.make(
    'matrix',
    num_agents=NUM_AGENTS,
    num_actions=stock_agents.NUM_ACTIONS,
    episode_length=10,
    payoff=np.eye(stock_agents.NUM_ACTIONS),
    seed=seed,
  )
  return wrappers.OthersActionsWrapper(game)


def make_stock(name, index, logger=None):
  spec = acme.make_environment_spec(make_environment(0))
  own = multiagent.agent_spec(spec, f'agent_{index}')
  agent = stock_agents.of_spec(
    name, own, lambda: logger, **stock_agents.WAITING[name]
  )
  return agent, intrinsic.MOAConfig.of(
    own,
    index,
    hidden_size=stock_agents.HIDDEN,
    burn_in_length=stock_agents.burn_in(agent),
  )


def make_builder(name, index, logger):
  agent, moa_config = make_stock(name, index, logger)
  return intrinsic.InfluenceLearnerBuilder(
    agent.builder, moa_config=moa_config, logger_fn=lambda: logger
  )


def make_networks(name, index, spec):
  return make_stock(name, index)[0].networks


def make_policy(name, index, networks):
  return make_stock(name, index)[0].policy


def bot(observation):
  return np.int32(0)


def make_experiment(directory, num_steps, names, resume=False):
  ids = [f'agent_{i}' for i in range(NUM_AGENTS)]
  members: dict[str, Any] = dict.fromkeys(ids, bot)
  for index, name in enumerate(names):
    members[f'agent_{index}'] = multiagent.Member(
      functools.partial(make_builder, name, index),
      functools.partial(make_networks, name, index),
      (VARIABLES.get(name, ''),),
      functools.partial(make_policy, name, index),
    )
  return programs.Experiment(
    builder_factory=functools.partial(multiagent.PopulationBuilder, members),
    environment_factory=make_environment,
    network_factory=functools.partial(multiagent.make_networks, members),
    num_steps=num_steps,
    run_dir=directory,
    resume=resume,
  )


def main(launch, directory, num_steps, *names):
  flags.FLAGS(sys.argv[:1])  # Launchpad reads flags.
  resume = names[-1] == 'resume'
  experiment = make_experiment(
    directory, int(num_steps), names[: len(names) - resume], resume
  )
  return programs.launch(programs.make_program(experiment), launch)


if __name__ == '__main__':
  sys.exit(main(*sys.argv[1:]))
