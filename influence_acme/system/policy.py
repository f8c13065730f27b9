"""Makes the population's pure functions, see `types.JointPolicy`.

The records of the experiments define their counterfactual logits, see
`experiment` and `experiments`. An agent takes part in at most one of them, so
that the population's influence is their sum.

Letters: N agents, B environments, U hidden units.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.system import act as act_lib
from influence_acme.system import config as config_lib
from influence_acme.system import (
  deaths,
  experiments,
  masks,
  reward_shaping,
  variants,
)
from influence_acme.system import experiment as experiment_lib
from influence_acme.system import networks as system_networks
from influence_acme.system import types as system_types


class _ActiveExperiment(NamedTuple):
  """Holds an experiment that some agents of a population take part in.

  Attributes:
    experiment: the record.
    members: bool [N].
    delay: steps until its influence is known, 0 or 1.
  """

  experiment: experiment_lib.Experiment
  members: np.ndarray
  delay: int


# Equal populations get the same functions, which are compiled once.
@functools.lru_cache(maxsize=8)
def make_joint_policy(
  networks: system_networks.InfluenceNetworks,
  config: config_lib.InfluenceConfig,
) -> system_types.JointPolicy:
  """Makes the population's pure functions.

  Args:
    networks: of the population.
    config: of the networks; gives the variant, and the measure of influence.

  Returns:
    The functions.
  """
  num_agents = len(networks.agent_ids)
  agent = networks.agent

  def of_each(members: np.ndarray) -> np.ndarray:
    return np.broadcast_to(members, num_agents)

  active = {
    name: _ActiveExperiment(
      experiment,
      of_each(variants.members(config.variant, name)),
      experiment.delay(config.influence_measure),
    )
    for name, experiment in experiments.EXPERIMENTS.items()
    if variants.members(config.variant, name).any()
  }
  delay = max((each.delay for each in active.values()), default=0)
  at_once = {name: x for name, x in active.items() if not x.delay}

  def initial_state(batch_size: int) -> networks_lib.CoreState:
    return jax.tree_util.tree_map(
      lambda x: jnp.broadcast_to(x, (num_agents, *x.shape)),
      agent.initial_state(batch_size),
    )

  return system_types.JointPolicy(
    agent_ids=networks.agent_ids,
    initial_state=initial_state,
    act=functools.partial(
      act_lib.act,
      agent,
      of_each(variants.members(config.variant, 'communication')),
      {k: of_each(v) for k, v in masks.readers(config.variant).items()},
      config.num_influencers if config.has_influencers else 0,
    ),
    observe=functools.partial(_observe, agent, active),
    influence=functools.partial(_influence, active, config),
    delay=delay,
    last_step_influence=(
      functools.partial(_influence, at_once, config)
      if delay and at_once
      else None
    ),
    shape_reward=reward_shaping.make_shape_fn(config),
  )


def _observe(
  agent: networks_lib.AgentNetworks,
  active: Mapping[str, _ActiveExperiment],
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  act_output: system_types.ActOutput,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, dict[str, system_types.InfluenceInputs]]:
  """Computes the next recurrent states, and the influence inputs.

  Args:
    agent: one agent's functions.
    active: the population's experiments.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    act_output: of the step.
    next_observation: stacked, [N, B, ...].
    is_last: bool [B], True if the next observation ends an episode.

  Returns:
    The next recurrent states, and the inputs by experiment.
  """
  moa_state = core_state.moa
  inputs: dict[str, system_types.InfluenceInputs] = {}
  for name, (experiment, members, _) in active.items():
    moa_state, found = experiment.observe(
      agent,
      members,
      params,
      observation,
      moa_state,
      act_output,
      next_observation,
      is_last,
    )
    alive = deaths.pairs(experiment, observation, next_observation)
    inputs[name] = {**found, 'mask': found['mask'] & alive}
  return networks_lib.CoreState(
    act_output.carry.policy_state, moa_state
  ), inputs


def _influence(
  active: Mapping[str, _ActiveExperiment],
  config: config_lib.InfluenceConfig,
  step: system_types.InfluenceStep,
  following: system_types.InfluenceStep | None = None,
) -> chex.Array:
  """Returns the influence of one step, float32 [N, ...], nats.

  Args:
    active: the experiments with known influence.
    config: for the measure, and the influencees' reward.
    step: of the choices.
    following: the next one; None if no experiment needs it.
  """
  total = jnp.zeros(system_types.actions_of(step.actions).shape, jnp.float32)
  for name, (experiment, _, _) in active.items():
    output = experiment_lib.influence(
      experiment, name, config.influence_measure, step, following
    )
    total += output.reward
    if config.influencee_reward and 'influencers' in experiment.reads:
      total += experiment_lib.received(output)
  return total
