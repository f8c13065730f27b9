"""Agents that have nothing in common, as one agent for a program.

    members = {
      'agent_0': Member(make_impala, make_impala_networks, ('network',)),
      'agent_1': Member(make_dqn, make_dqn_networks, ('',), epsilon_greedy),
      'agent_2': lambda observation: 0,  # A bot.
    }
    builder = PopulationBuilder(members, logger)
    networks = make_networks(members, environment_spec)

Each member has its own builder, networks, replay and learner, and sees what an
agent that is alone would. What Acme's builders make one of, a population makes
one of for each member that learns, in a dict by agent id.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import reverb
from acme import adders as adders_lib
from acme import core, specs
from acme.agents.jax import builders
from acme.utils import counting, loggers

from influence_acme import types
from influence_acme.multiagent import actor as actor_lib
from influence_acme.multiagent import joint_log, learner_set, variables
from influence_acme.system import specs as multiagent_specs


class Member(NamedTuple):
  """An Acme agent that is one of many.

  Attributes:
    builder_factory: takes the logger of its learner and gives its builder.
    network_factory: takes what it sees of the environment's spec and gives what
      its learner gets.
    variable_names: what its actors ask its learner for, see `LearnerSet`.
    policy_factory: takes the networks and gives what its actors get.
  """

  builder_factory: Callable[
    [loggers.Logger], builders.GenericActorLearnerBuilder
  ]
  network_factory: Callable[[specs.EnvironmentSpec], Any]
  variable_names: tuple[str, ...]
  policy_factory: Callable[[Any], Any] = lambda networks: networks


# Each is a `Member`, or what a bot does: a function of its observation.
Members = Mapping[types.AgentId, Any]


def make_networks(
  members: Members, environment_spec: specs.EnvironmentSpec
) -> dict[types.AgentId, Any]:
  """Makes the networks of those that learn.

  Args:
    members: every agent by its id.
    environment_spec: of all agents.

  Returns:
    What each one's learner gets, by agent id.
  """
  return {
    agent_id: member.network_factory(
      multiagent_specs.agent_spec(environment_spec, agent_id)
    )
    for agent_id, member in _learning(members).items()
  }


class PopulationBuilder(builders.GenericActorLearnerBuilder):
  """Builds actors and learners of agents that each have their own builder."""

  def __init__(self, members: Members, logger: loggers.Logger | None = None):
    """Makes the members' builders.

    Args:
      members: every agent of the environment by its id.
      logger: gets a row of all learners after their steps: what a learner calls
        'loss' is there {'loss': {agent id: value}}. Acme's default if None.

    Raises:
      ValueError: nobody learns.
    """
    if not _learning(members):
      raise ValueError(
        f'None of {list(members)} learns: give at least one Member; what plays '
        'by functions alone takes no builder, but a JointActor.'
      )
    self._members = members
    logger = logger or loggers.make_default_logger('learner')
    self._log = joint_log.JointLog(logger)
    self._builders = {
      agent_id: member.builder_factory(self._log.of(agent_id))
      for agent_id, member in _learning(members).items()
    }

  def make_replay_tables(
    self, environment_spec: specs.EnvironmentSpec
  ) -> dict[types.AgentId, list[reverb.Table]]:
    """Makes everyone's tables; each one's are for a server of their own.

    Acme's agents may name their tables alike, and some cannot do otherwise.

    Args:
      environment_spec: of all agents.
    """
    return {
      agent_id: builder.make_replay_tables(
        multiagent_specs.agent_spec(environment_spec, agent_id)
      )
      for agent_id, builder in self._builders.items()
    }

  def make_dataset_iterator(
    self, replay_clients: Mapping[types.AgentId, reverb.Client]
  ) -> dict[types.AgentId, Iterator[reverb.ReplaySample]]:
    """Makes everyone's samples."""
    return {
      agent_id: builder.make_dataset_iterator(replay_clients[agent_id])
      for agent_id, builder in self._builders.items()
    }

  def make_adder(
    self, replay_clients: Mapping[types.AgentId, reverb.Client]
  ) -> dict[types.AgentId, adders_lib.Adder | None]:
    """Makes everyone's adder."""
    return {
      agent_id: builder.make_adder(replay_clients[agent_id])
      for agent_id, builder in self._builders.items()
    }

  def make_learner(
    self,
    random_key: jax.Array,
    networks: Mapping[types.AgentId, Any],
    dataset: Mapping[types.AgentId, Iterator[reverb.ReplaySample]],
    replay_clients: Mapping[types.AgentId, reverb.Client],
    counter: counting.Counter | None = None,
  ) -> core.Learner:
    """Makes everyone's learner, and joins them.

    Args:
      random_key: each agent folds its place in the population into it.
      networks: as of `make_networks`.
      dataset: as of `make_dataset_iterator`.
      replay_clients: for priorities.
      counter: of the program; each agent counts under its id.

    Returns:
      A learner that lets those learn whose samples are there.
    """
    keys = self._keys(random_key)
    counter = counter or counting.Counter()
    learners = {
      agent_id: builder.make_learner(
        keys[agent_id],
        networks[agent_id],
        dataset[agent_id],
        replay_clients[agent_id],
        counting.Counter(counter, agent_id, time_delta=-1),
      )
      for agent_id, builder in self._builders.items()
    }
    names = {
      agent_id: member.variable_names
      for agent_id, member in _learning(self._members).items()
    }
    return learner_set.LearnerSet(
      learners,
      names,
      datasets=dataset,
      after_step=lambda: self._log.write(counter.get_counts()),
    )

  def make_actor(
    self,
    random_key: jax.Array,
    policy_networks: Mapping[types.AgentId, Any],
    adder: Mapping[types.AgentId, adders_lib.Adder | None] | None = None,
    variable_source: core.VariableSource | None = None,
  ) -> core.Actor:
    """Makes everyone's actor, and joins them.

    Args:
      random_key: each agent folds its place in the population into it.
      policy_networks: as of `make_networks`; a member's policy is made of its
        own.
      adder: as of `make_adder`; None to record nothing.
      variable_source: a `LearnerSet`, or a client of it.

    Returns:
      The actor of the whole population.
    """
    keys = self._keys(random_key)
    actors: dict[types.AgentId, core.Actor] = {}
    for agent_id, member in self._members.items():
      if not isinstance(member, Member):
        actors[agent_id] = actor_lib.FunctionActor(member)
        continue
      source = variable_source and variables.AgentVariableSource(
        variable_source, agent_id
      )
      actors[agent_id] = self._builders[agent_id].make_actor(
        keys[agent_id],
        member.policy_factory(policy_networks[agent_id]),
        adder[agent_id] if adder else None,
        source,
      )
    return actor_lib.JointActor(actors, tuple(self._members))

  def _keys(self, random_key: jax.Array) -> dict[types.AgentId, jax.Array]:
    return {
      agent_id: jax.random.fold_in(random_key, i)
      for i, agent_id in enumerate(self._members)
    }


def _learning(members: Members) -> dict[types.AgentId, Member]:
  """Returns the members that learn."""
  return {k: v for k, v in members.items() if isinstance(v, Member)}
