"""Joins single-agent actors to one actor of a multi-agent environment."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import acme
import dm_env

from influence_acme import checks, types
from influence_acme.system import specs


class JointActor(acme.Actor):
  """Plays every agent of an environment with its own Acme actor.

  Each actor gets only its own observations, rewards and actions, as if it were
  alone; so any single-agent Acme actor can be used, and they may be of
  different kinds. For `acme.EnvironmentLoop` they are one actor.
  """

  def __init__(
    self,
    actors: Mapping[types.AgentId, acme.Actor],
    agent_ids: Sequence[types.AgentId],
  ):
    """Initializes the actor.

    Args:
      actors: every agent's actor by its id.
      agent_ids: the environment's agents, in the order in which they choose
        and observe.

    Raises:
      ValueError: an agent has no actor, or an actor no agent.
    """
    self._actors = types.in_order(actors, agent_ids, 'actors')

  def select_action(
    self, observation: Mapping[types.AgentId, Any]
  ) -> dict[types.AgentId, Any]:
    """Returns every agent's action by its id, from everyone's observation."""
    return {
      agent_id: actor.select_action(observation[agent_id])
      for agent_id, actor in self._actors.items()
    }

  def observe_first(self, timestep: dm_env.TimeStep) -> None:
    """Passes every actor its part of an episode's first time step."""
    for agent_id, actor in self._actors.items():
      actor.observe_first(specs.agent_timestep(timestep, agent_id))

  def observe(
    self, action: Mapping[types.AgentId, Any], next_timestep: dm_env.TimeStep
  ) -> None:
    """Passes every actor its action and its part of the time step after it."""
    for agent_id, actor in self._actors.items():
      actor.observe(
        action[agent_id], specs.agent_timestep(next_timestep, agent_id)
      )

  def update(self, wait: bool = False) -> None:
    """Updates every agent's parameters from its variable source."""
    arguments = (wait,) if wait else ()  # Acme's whole agents take none.
    for actor in self._actors.values():
      actor.update(*arguments)


class FunctionActor(acme.Actor):
  """Plays a function of the observation, as a bot does, and learns nothing."""

  def __init__(self, policy: Callable[[Any], Any]):
    """Initializes the actor.

    Args:
      policy: the agent's own observation -> its action.
    """
    self._policy = checks.function('policy', policy)

  def select_action(self, observation: Any) -> Any:
    """Returns the function's action."""
    return self._policy(observation)

  def observe_first(self, timestep: dm_env.TimeStep) -> None:
    """Does nothing."""

  def observe(self, action: Any, next_timestep: dm_env.TimeStep) -> None:
    """Does nothing."""

  def update(self, wait: bool = False) -> None:
    """Does nothing."""
