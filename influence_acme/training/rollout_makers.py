"""Makes the rollout that a run trains from, compiled or on the host."""

import contextlib
from collections.abc import Callable
from typing import Any

import dm_env

from influence_acme import environments
from influence_acme.rollouts import (
  host_environments,
  layout,
  unroll,
  vector_environment,
)
from influence_acme.runs import random_keys
from influence_acme.system import networks as networks_lib
from influence_acme.system import types as system_types

# (policy, first step of the run) -> rollout in B environments, and a function
# that closes these.
MakeRollout = Callable[
  [system_types.JointPolicy, int], tuple[unroll.Rollout, Callable[[], None]]
]


def compiled(
  environment: environments.FunctionalEnvironment,
  networks: networks_lib.InfluenceNetworks,
  agent: Any,
) -> MakeRollout:
  """Returns the maker of a rollout in compiled environments."""
  vectorised = vector_environment.VectorEnvironment(
    environment, networks.num_symbols > 0
  )

  def make(policy, first_step):
    del first_step  # The environments' keys depend on it alone.
    rollout = unroll.make_rollout(
      vectorised, policy, agent.unroll_length, layout.to_learner
    )
    return rollout, lambda: None

  return make


def on_host(
  make_environment: Callable[[int], dm_env.Environment],
  networks: networks_lib.InfluenceNetworks,
  agent: Any,
  seed: int,
) -> MakeRollout:
  """Returns the maker of a rollout in environments on the host.

  Args:
    make_environment: of a seed; wrapped for the agents.
    networks: of the population.
    agent: configuration of the agents.
    seed: of the run.
  """

  def make(policy, first_step):
    with contextlib.ExitStack() as stack:
      made = []
      for i in range(agent.batch_size):
        made.append(
          make_environment(random_keys.environment_seed(seed, i, first_step))
        )
        stack.callback(made[-1].close)
      batch = host_environments.HostEnvironments(made, networks.agent_ids)
      stack.pop_all()  # All are made: the batch closes them.
    rollout = host_environments.make_rollout(
      batch, policy, agent.unroll_length, layout.to_learner
    )
    return rollout, batch.close

  return make
