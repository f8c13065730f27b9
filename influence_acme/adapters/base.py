"""Defines the base of adapters from environments of other libraries."""

import abc
from collections.abc import Mapping
from typing import Any, NamedTuple

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import types
from influence_acme.environments import actions as actions_lib


class AdaptedStep(NamedTuple):
  """Holds the output of a step of the adapted environment.

  Attributes:
    rewards: a number by agent id; checked when the time step is made.
    observations: agent id -> dict of arrays, according to the spec.
    is_last: True if the episode is over.
    discount: of rewards after this step, 0 or 1.
  """

  rewards: Mapping[str, Any]
  observations: dict[str, dict[str, np.ndarray]]
  is_last: bool
  discount: float


class AdaptedEnvironment(dm_env.Environment):
  """Adapts another library's environment to a multi-agent dm_env.

  Subclasses play the episodes; this class checks actions, starts episodes, and
  makes time steps.
  """

  def __init__(
    self,
    action_spec: dict[str, specs.DiscreteArray],
    observation_spec: dict[str, dict[str, specs.Array]],
  ):
    """Initialises the environment; the specs give the agents and their order.

    Args:
      action_spec: int32 in [0, number of actions) by agent id.
      observation_spec: {'world': uint8 [H, W, C] or float32 [D], ...} by agent
        id.
    """
    self.agent_ids: tuple[str, ...] = tuple(action_spec)
    types.check_agent_ids(self.agent_ids)
    self._action_spec = action_spec
    self._observation_spec = observation_spec
    self._reset_next_step = True

  @abc.abstractmethod
  def _start(self) -> dict[str, dict[str, np.ndarray]]:
    """Starts an episode, also in the middle of one; returns observations."""

  @abc.abstractmethod
  def _play(self, actions: dict[str, int]) -> AdaptedStep:
    """Plays one step of all agents, with valid actions."""

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode, also in the middle of one."""
    self._reset_next_step = True  # If starting fails.
    observations = self._start()
    self._reset_next_step = False
    return dm_env.restart(observations)

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents.

    Args:
      action: agent id -> integer, for every agent. Ignored before the first
        `reset` and after a LAST time step: both start an episode.

    Returns:
      The next time step: rewards are float32 scalars by agent id.

    Raises:
      ValueError: an action is missing, unknown, no integer or out of range, and
        the episode goes on as if the call had not been made; or the adapted
        environment failed or returned invalid values, and the next step starts
        an episode.
    """
    if self._reset_next_step:
      return self.reset()
    actions = self._check_actions(action)
    self._reset_next_step = True  # If playing fails.
    outcome = self._play(actions)
    rewards = {name: _reward(outcome.rewards, name) for name in self.agent_ids}
    self._reset_next_step = outcome.is_last
    return dm_env.TimeStep(
      dm_env.StepType.LAST if outcome.is_last else dm_env.StepType.MID,
      rewards,
      np.float32(outcome.discount),
      outcome.observations,
    )

  def action_spec(self) -> dict[str, specs.DiscreteArray]:
    """Returns int32 in [0, number of actions) for each agent."""
    return dict(self._action_spec)

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns {'world': uint8 [H, W, C] or float32 [D], ...} for each agent."""
    return dict(self._observation_spec)

  def reward_spec(self) -> dict[str, specs.Array]:
    """Returns a float32 scalar for each agent."""
    spec = specs.Array((), np.float32, name='reward')
    return dict.fromkeys(self.agent_ids, spec)

  def discount_spec(self) -> specs.BoundedArray:
    """Returns a float32 scalar in [0, 1], the same for all agents."""
    return specs.BoundedArray((), np.float32, 0.0, 1.0, name='discount')

  def _check_actions(self, action: Any) -> dict[str, int]:
    """Returns everyone's action as a Python integer."""

    def describe(agent_id: str) -> str:
      return actions_lib.describe_choice(self._action_spec[agent_id].num_values)

    ordered = actions_lib.in_order(action, self.agent_ids, describe)
    return {
      agent_id: actions_lib.check_choice(
        own, self._action_spec[agent_id].num_values, agent_id
      )
      for agent_id, own in zip(self.agent_ids, ordered, strict=True)
    }


def _reward(rewards: Mapping[str, Any], agent_id: str) -> np.float32:
  """Checks an agent's reward, and returns it as float32."""
  if agent_id not in rewards:
    raise ValueError(
      f'Agent {agent_id!r} has no reward in this step: give 0 where there is '
      'none.'
    )
  reward = np.asarray(rewards[agent_id])
  if reward.shape != () or reward.dtype.kind not in 'biuf':
    raise ValueError(
      f'The reward of {agent_id!r} is {rewards[agent_id]!r}: it must be one '
      'number.'
    )
  with np.errstate(over='ignore'):
    converted = np.float32(reward)
  if not np.isfinite(converted):
    raise ValueError(
      f'The reward of {agent_id!r} is {rewards[agent_id]!r}: it must be a '
      'finite float32.'
    )
  return converted
