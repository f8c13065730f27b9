"""Joins heterogeneous agents to one agent for a program.

    members = {
      'agent_0': Member(make_impala, make_impala_networks, ('network',)),
      'agent_1': Member(make_dqn, make_dqn_networks, ('',), epsilon_greedy),
      'agent_2': lambda observation: 0,  # A bot.
    }
    builder = PopulationBuilder(members, logger)
    networks = make_networks(members, environment_spec)

Each member has its own builder, networks, replay and learner, and observes the
environment as a single agent would. For each object that an Acme builder makes,
a population makes a dict by agent id, of the members that learn.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import reverb
from acme import adders as adders_lib
from acme import core, specs
from acme.agents.jax import builders
from acme.utils import counting, loggers

from influence_acme import checks, types
from influence_acme.multiagent import actor as actor_lib
from influence_acme.multiagent import joint_log, learner_set, variables
from influence_acme.system import specs as multiagent_specs


class Member(NamedTuple):
  """Defines an Acme agent as a member of a population.

  Attributes:
    builder_factory: takes the logger of its learner and returns its builder.
    network_factory: takes its part of the environment's spec and returns the
      networks of its learner.
    variable_names: that its actors request from its learner, see `LearnerSet`.
    policy_factory: takes the networks and returns the policy of its actors.
  """

  builder_factory: Callable[
    [loggers.Logger], builders.GenericActorLearnerBuilder
  ]
  network_factory: Callable[[specs.EnvironmentSpec], Any]
  variable_names: tuple[str, ...]
  policy_factory: Callable[[Any], Any] = lambda networks: networks


# Each is a `Member`, or a bot: a function of its observation.
Members = Mapping[types.AgentId, Any]


def make_networks(
  members: Members, environment_spec: specs.EnvironmentSpec
) -> dict[types.AgentId, Any]:
  """Makes the networks of the members that learn.

  Args:
    members: every agent by its id.
    environment_spec: of all agents.

  Returns:
    The networks of each learner, by agent id.

  Raises:
    ValueError: the members are not exactly the environment's agents.
  """
  members = types.in_order(members, tuple(environment_spec.actions), 'members')
  return {
    agent_id: member.network_factory(
      multiagent_specs.agent_spec(environment_spec, agent_id)
    )
    for agent_id, member in _learning(members).items()
  }


class PopulationBuilder(builders.GenericActorLearnerBuilder):
  """Builds actors and learners of agents with builders of their own."""

  def __init__(self, members: Members, logger: loggers.Logger | None = None):
    """Makes the members' builders.

    Args:
      members: every agent of the environment by its id.
      logger: gets a row of all learners after their steps: a learner's 'loss'
        is {'loss': {agent id: value}} in it. Acme's default if None.

    Raises:
      ValueError: a member is neither a `Member` nor a function, one's names of
        variables are no tuple of strings, or no member learns.
    """
    _check(members)
    if not _learning(members):
      raise ValueError(
        f'None of {list(members)} learns: give at least one Member; for '
        'functions alone use a JointActor, without a builder.'
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
    """Makes the tables of all members, each for a server of its own.

    Tables of several Acme agents can have the same name.
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
    """Makes the dataset iterators of all members."""
    return {
      agent_id: builder.make_dataset_iterator(replay_clients[agent_id])
      for agent_id, builder in self._builders.items()
    }

  def make_adder(
    self, replay_clients: Mapping[types.AgentId, reverb.Client]
  ) -> dict[types.AgentId, adders_lib.Adder | None]:
    """Makes the adders of all members."""
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
    """Makes the learners of all members, and joins them.

    Args:
      random_key: each agent folds its place in the population into it.
      networks: as of `make_networks`.
      dataset: as of `make_dataset_iterator`.
      replay_clients: for priorities.
      counter: of the program; each agent counts under its id.

    Returns:
      A learner that steps the learners with ready samples.
    """
    keys = self._keys(random_key)
    learners = {
      agent_id: builder.make_learner(
        keys[agent_id],
        networks[agent_id],
        dataset[agent_id],
        replay_clients[agent_id],
        counter and counting.Counter(counter, agent_id, time_delta=-1),
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
      after_step=lambda: self._log.write(
        counter.get_counts() if counter else {}
      ),
    )

  def make_actor(
    self,
    random_key: jax.Array,
    policy_networks: Mapping[types.AgentId, Any],
    adder: Mapping[types.AgentId, adders_lib.Adder | None] | None = None,
    variable_source: core.VariableSource | None = None,
  ) -> core.Actor:
    """Makes the actors of all members, and joins them.

    Args:
      random_key: each agent folds its place in the population into it.
      policy_networks: as of `make_networks`; each member's policy is made from
        its own.
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


def _check(members: Members) -> None:
  """Raises ValueError: an entry is neither a member nor a bot."""
  if not isinstance(members, Mapping):
    raise ValueError(f'members is {members!r}: it must be a dict by agent id.')
  for agent_id, member in members.items():
    if not isinstance(member, Member):
      checks.function(f'members[{agent_id!r}], if no Member,', member)
      continue
    for name in ('builder_factory', 'network_factory', 'policy_factory'):
      checks.function(f'{name} of {agent_id!r}', getattr(member, name))
    variables.check_requested(agent_id, member.variable_names)


def _learning(members: Members) -> dict[types.AgentId, Member]:
  """Returns the members that learn."""
  return {k: v for k, v in members.items() if isinstance(v, Member)}
