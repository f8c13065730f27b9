"""Environments whose every number a test knows beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import checks, types
from influence_acme.environments import actions as actions_lib
from influence_acme.testing.fake_vectors import FakeVectorEnvironment

__all__ = (
  'FakeMultiAgentEnvironment',
  'FakeVectorEnvironment',
  'ScriptedStep',
  'death',
  'time_limit',
)


class ScriptedStep(NamedTuple):
  """Holds the outcome of one joint action.

  Attributes:
    reward: one number for everyone, or one for each agent.
    discount: 1, or 0 where the episode ends by death.
    step_type: MID, or LAST at the end of the script.
  """

  reward: float | Sequence[float]
  discount: float
  step_type: dm_env.StepType


def time_limit(episode_length: int, reward: float = 1.0) -> list[ScriptedStep]:
  """Scripts an episode that ends by time limit: its last discount is 1.

  Args:
    episode_length: how many actions the episode takes.
    reward: of everyone in each step.

  Returns:
    The script, `episode_length` steps long.
  """
  checks.integer('episode_length', episode_length, 1)
  steps = [ScriptedStep(reward, 1.0, dm_env.StepType.MID)] * episode_length
  return steps[:-1] + [ScriptedStep(reward, 1.0, dm_env.StepType.LAST)]


def death(episode_length: int, reward: float = 1.0) -> list[ScriptedStep]:
  """Scripts an episode that ends by death: its last discount is 0.

  Args:
    episode_length: how many actions the episode takes.
    reward: of everyone in each step.

  Returns:
    The script, `episode_length` steps long.
  """
  steps = time_limit(episode_length, reward)
  return steps[:-1] + [steps[-1]._replace(discount=0.0)]


class FakeMultiAgentEnvironment(dm_env.Environment):
  """Plays the same script in every episode, whatever the agents do.

  After t actions of an episode, every pixel of the i-th agent's 'world' is
  (t * num_agents + i) % 256. The environment has no `visible()`.
  """

  def __init__(
    self,
    num_agents: int = 2,
    num_actions: int = 3,
    episode_length: int = 5,
    observation_shape: tuple[int, ...] = (5, 5, 3),
    script: Sequence[tuple[Any, float, int]] | None = None,
  ):
    """Initialises the environment.

    Args:
      num_agents: N.
      num_actions: of each agent.
      episode_length: how many actions an episode takes, where no script says.
      observation_shape: of an agent's 'world', [H, W, 3] in real ones.
      script: `ScriptedStep`s, or plain tuples like them: what follows the
        first, second, ... action of each episode. None: `time_limit`, with
        reward 1.

    Raises:
      ValueError: the script does not end in its one and only LAST step.
    """
    self.agent_ids = types.agent_ids(num_agents)
    self._num_actions = checks.integer('num_actions', num_actions, 1)
    self._observation_shape = observation_shape
    steps = time_limit(episode_length) if script is None else script
    self._script = [ScriptedStep(*step) for step in steps]
    lasts = [step.step_type == dm_env.StepType.LAST for step in self._script]
    if lasts != [False] * (len(lasts) - 1) + [True]:
      raise ValueError(f'Only the end of a script is LAST; it is {script}.')
    self._time: int | None = None  # Actions so far; None: the next one resets.

  def reset(self) -> dm_env.TimeStep:
    """Starts the script from its beginning."""
    self._time = 0
    return dm_env.restart(self._observation(0))

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of the script, after the actions were found valid."""
    if self._time is None:
      return self.reset()
    actions_lib.joint_action(action, self.agent_ids, self._num_actions)
    step = self._script[self._time]
    self._time += 1
    observation = self._observation(self._time)
    if step.step_type == dm_env.StepType.LAST:
      self._time = None
    rewards = np.broadcast_to(
      np.asarray(step.reward, np.float32), len(self.agent_ids)
    )
    return dm_env.TimeStep(
      step_type=dm_env.StepType(step.step_type),
      reward=dict(zip(self.agent_ids, rewards, strict=True)),
      discount=np.float32(step.discount),
      observation=observation,
    )

  def action_spec(self) -> dict[str, specs.DiscreteArray]:
    """Returns int32 in [0, num_actions) for each agent."""
    spec = specs.DiscreteArray(self._num_actions, np.int32, name='action')
    return dict.fromkeys(self.agent_ids, spec)

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns {'world': uint8 observation_shape} for each agent."""
    spec = specs.Array(self._observation_shape, np.uint8, name='world')
    return {agent_id: {'world': spec} for agent_id in self.agent_ids}

  def reward_spec(self) -> dict[str, specs.Array]:
    """Returns a float32 scalar for each agent."""
    spec = specs.Array((), np.float32, name='reward')
    return dict.fromkeys(self.agent_ids, spec)

  def discount_spec(self) -> specs.BoundedArray:
    """Returns a float32 scalar in [0, 1]."""
    return specs.BoundedArray((), np.float32, 0.0, 1.0, name='discount')

  def _observation(self, time: int) -> dict[str, dict[str, np.ndarray]]:
    """Returns everyone's observation after `time` actions."""
    n = len(self.agent_ids)
    return {
      agent_id: {
        'world': np.full(
          self._observation_shape, (time * n + i) % 256, np.uint8
        )
      }
      for i, agent_id in enumerate(self.agent_ids)
    }
