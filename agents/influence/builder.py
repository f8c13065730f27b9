"""Builds the influence agent's parts for Acme's layouts."""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from collections.abc import Iterator
from typing import Any

import chex
import numpy as np
import reverb
from acme import adders as adders_lib
from acme import core, specs
from acme.adders import reverb as reverb_adders
from acme.agents.jax import builders
from acme.jax import variable_utils
from acme.utils import counting, loggers

from influence_acme import adders
from influence_acme import networks as base_networks
from influence_acme.agents.influence import acting, learning, variables
from influence_acme.agents.influence import networks as networks_lib
from influence_acme.system import config as config_lib
from influence_acme.system import networks as system_networks
from influence_acme.system import policy, schedules
from influence_acme.system import specs as multiagent_specs
from influence_acme.system import types as system_types


class InfluenceBuilder(builders.ActorLearnerBuilder):
  """Builds one joint learner and joint actors for a whole population.

  The environment is a multi-agent one, see `influence_acme.multiagent`. Its
  rows are stacked over agents, so that one table, one writer and one learner
  step serve all agents, while no weights and no gradients are shared.
  """

  def __init__(
    self,
    config: config_lib.InfluenceConfig,
    logger: loggers.Logger | None = None,
  ):
    """Makes the builder.

    Args:
      config: of the agent.
      logger: of the learner; Acme's default if None.

    Raises:
      ValueError: the configuration is of another kind.
    """
    if not isinstance(config, config_lib.InfluenceConfig):
      raise ValueError(f'config is {config!r}: it must be an InfluenceConfig.')
    self._config = config
    self._logger = logger

  @property
  def config(self) -> config_lib.InfluenceConfig:
    """Configuration of the agent."""
    return self._config

  def make_replay_tables(
    self,
    environment_spec: specs.EnvironmentSpec,
    networks: system_networks.InfluenceNetworks | None = None,
  ) -> list[reverb.Table]:
    """Makes a first-in-first-out queue; a full one blocks the actors.

    Args:
      environment_spec: of the environment.
      networks: whose recurrent states and logits the rows hold; None for those
        of the configuration.
    """
    if networks is None:
      # The rows do not depend on the torso, which may be the user's own.
      networks = networks_lib.make_networks(
        environment_spec, self._config, base_networks.Identity
      )
    stacked = multiagent_specs.stacked_spec(
      environment_spec, networks.agent_ids
    )
    return [
      reverb.Table.queue(
        name=reverb_adders.DEFAULT_PRIORITY_TABLE,
        max_size=self._config.max_queue_size,
        signature=reverb_adders.SequenceAdder.signature(
          stacked,
          _extras_spec(networks, stacked.rewards),
          sequence_length=self._config.unroll_length + 1,
        ),
      )
    ]

  def make_dataset_iterator(
    self, replay_client: reverb.Client
  ) -> Iterator[reverb.ReplaySample]:
    """Makes an iterator over batches of sequences, oldest first."""
    dataset = reverb.TrajectoryDataset.from_table_signature(
      server_address=replay_client.server_address,
      table=reverb_adders.DEFAULT_PRIORITY_TABLE,
      max_in_flight_samples_per_worker=self._config.batch_size,
      # More workers would change the order of the queue.
      num_workers_per_iterator=1,
    )
    dataset = dataset.batch(self._config.batch_size, drop_remainder=True)
    return dataset.as_numpy_iterator()

  def make_adder(self, replay_client: reverb.Client) -> adders_lib.Adder:
    """Makes the adder of stacked rows; sequences run on over episode ends."""
    return reverb_adders.SequenceAdder(
      client=replay_client,
      priority_fns={reverb_adders.DEFAULT_PRIORITY_TABLE: None},
      # The last row of a sequence only bootstraps: the next one begins there.
      period=self._config.unroll_length,
      sequence_length=self._config.unroll_length + 1,
      end_of_episode_behavior=reverb_adders.EndBehavior.CONTINUE,
    )

  def make_learner(
    self,
    random_key: chex.PRNGKey,
    networks: system_networks.InfluenceNetworks,
    dataset: Iterator[reverb.ReplaySample],
    replay_client: reverb.Client | None = None,
    counter: counting.Counter | None = None,
  ) -> core.Learner:
    """Makes the learner of all agents."""
    del replay_client
    return learning.InfluenceLearner(
      networks, self._config, dataset, random_key, counter, self._logger
    )

  def make_actor(
    self,
    random_key: chex.PRNGKey,
    policy_network: system_networks.InfluenceNetworks,
    adder: adders_lib.Adder | None = None,
    variable_source: core.VariableSource | None = None,
  ) -> core.Actor:
    """Makes the actor of all agents, which adds influence to the rewards.

    Args:
      random_key: of this actor.
      policy_network: the population's networks.
      adder: as of `make_adder`; None to record nothing.
      variable_source: the learner.

    Returns:
      The actor.

    Raises:
      ValueError: there is no variable source.
    """
    variables = self.make_variables(variable_source)
    joint_policy = self.make_joint_policy(policy_network)
    if adder is not None:
      adder = acting.make_influence_adder(
        adder,
        joint_policy,
        self.influence_weight,
        steps_fn=lambda: variables.environment_steps,
      )
    return acting.InfluenceActor(joint_policy, random_key, variables, adder)

  def make_evaluator(
    self,
    random_key: chex.PRNGKey,
    policy_network: system_networks.InfluenceNetworks,
    adder: adders_lib.Adder,
    variable_source: core.VariableSource,
  ) -> core.Actor:
    """Makes an actor that passes extrinsic rewards and influence inputs on.

    Args:
      random_key: of this actor.
      policy_network: the population's networks.
      adder: gets the environment's rewards, and `influence_inputs`.
      variable_source: the learner.

    Returns:
      The actor.
    """
    return acting.InfluenceActor(
      self.make_joint_policy(policy_network),
      random_key,
      self.make_variables(variable_source),
      adder,
    )

  def make_joint_policy(
    self, networks: system_networks.InfluenceNetworks
  ) -> system_types.JointPolicy:
    """Makes the pure functions of a population, see `JointPolicy`."""
    return policy.make_joint_policy(networks, self._config)

  def influence_weight(self, environment_steps: int) -> float | np.ndarray:
    """Returns the influence weight, or each agent's, at a number of steps."""
    return schedules.influence_weight(self._config, environment_steps)

  def make_variables(
    self, source: core.VariableSource | None
  ) -> variables.HeldVariables:
    """Makes an actor's view of the learner's variables.

    Args:
      source: the learner.

    Raises:
      ValueError: the source is None.
    """
    if source is None:
      raise ValueError('variable_source is None: the actor needs a learner.')
    client = variable_utils.VariableClient(
      source,
      key=['params', 'counts'],
      update_period=self._config.variable_update_period,
    )
    return variables.HeldVariables(client)


def _extras_spec(
  networks: system_networks.InfluenceNetworks, rewards: specs.Array
) -> dict[str, Any]:
  """Returns the specs of a row's extras."""
  num_agents = len(networks.agent_ids)
  spec: dict[str, Any] = {
    'logits': specs.Array((num_agents, networks.num_actions), np.float32),
    'core_state': networks.agent.initial_state(num_agents),
    'learner_steps': specs.Array((), np.int32),
  }
  if networks.num_symbols:
    spec['message_logits'] = specs.Array(
      (num_agents, networks.num_symbols), np.float32
    )
  return adders.InfluenceAdder.extras_spec(spec, rewards)
