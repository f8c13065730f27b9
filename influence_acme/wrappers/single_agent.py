"""Wraps a multi-agent environment for one agent: functions play the others.

The result is an ordinary dm_env, which any single-agent learner can play.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dm_env

from influence_acme import checks, types
from influence_acme.wrappers import base

# An agent's observation -> its action. Saving does not cover hidden state.
Policy = Callable[[Any], Any]


class SingleAgentView(base.StatefulWrapper):
  """Wraps a multi-agent dm_env as a single-agent one."""

  _kept = ('observation',)

  def __init__(
    self, environment: Any, agent_id: str, policies: Mapping[str, Policy]
  ):
    """Initialises the view.

    Args:
      environment: a multi-agent `dm_env.Environment`, with `agent_ids`.
      agent_id: the agent that plays.
      policies: agent id -> function from that agent's own observation to its
        action, for exactly the other agents.

    Raises:
      ValueError: the agent is unknown, or the policies are not those of exactly
        the other agents.
    """
    super().__init__(environment)
    agent_ids = environment.agent_ids
    if agent_id not in agent_ids:
      raise ValueError(
        f'Unknown agent {agent_id!r}: there are {", ".join(agent_ids)}.'
      )
    others = [other for other in agent_ids if other != agent_id]
    self._agent_id = agent_id
    self._policies = types.in_order(policies, others, 'policies')
    for other, policy in self._policies.items():
      checks.function(f'policies[{other!r}]', policy)
    self._observation: Any = None  # Everyone's; None: the next step resets.

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode."""
    return self._view(super().reset())

  def step(self, action: Any) -> dm_env.TimeStep:
    """Plays one step: the agent as told, the others by their policies.

    Args:
      action: the agent's. Ignored before the first `reset` and after a LAST
        time step: both start an episode.

    Returns:
      The agent's own time step.
    """
    if self._observation is None:
      return self.reset()
    actions = {
      other: policy(self._observation[other])
      for other, policy in self._policies.items()
    }
    actions[self._agent_id] = action
    return self._view(super().step(actions))

  def action_spec(self) -> Any:
    """Returns the agent's actions."""
    return self._environment.action_spec()[self._agent_id]

  def observation_spec(self) -> Any:
    """Returns the agent's observation."""
    return self._environment.observation_spec()[self._agent_id]

  def reward_spec(self) -> Any:
    """Returns the agent's reward."""
    return self._environment.reward_spec()[self._agent_id]

  def _view(self, timestep: dm_env.TimeStep) -> dm_env.TimeStep:
    """Stores the others' observations and returns the agent's time step."""
    self._observation = None if timestep.last() else timestep.observation
    reward = timestep.reward
    return timestep._replace(
      observation=timestep.observation[self._agent_id],
      reward=None if reward is None else reward[self._agent_id],
    )
