"""An environment of PettingZoo's parallel API as a multi-agent dm_env."""

from collections.abc import Mapping
from typing import Any

import dm_env
import numpy as np
import pettingzoo
from dm_env import specs
from gymnasium import spaces as gymnasium_spaces

from influence_acme.adapters import spaces
from influence_acme.environments import actions as actions_lib

_WORLD = 'world'


class PettingZooEnvironment(dm_env.Environment):
  """Plays an environment of PettingZoo's parallel API through a dm_env.

  Its agents must see pixels, choose from a number of actions, and be there from
  an episode's beginning to its end: the discount, which says whether the future
  counts, is one number for all of them.

  An episode ends with discount 0 if it was terminated, and with discount 1 if
  it was only truncated, as by a time limit.
  """

  def __init__(self, environment: pettingzoo.ParallelEnv, seed: int = 0):
    """Initialises the environment.

    Args:
      environment: has `possible_agents`. Everyone's actions are Discrete,
        observations are a Box of uint8 [H, W, C], which becomes 'world', or a
        Dict with such a 'world'.
      seed: given to the first reset.

    Raises:
      ValueError: actions or observations are of another kind.
    """
    self._environment = environment
    self._seed: int | None = seed
    self.agent_ids: tuple[str, ...] = tuple(environment.possible_agents)
    self._action_spec = {
      agent_id: _action_spec(environment.action_space(agent_id), agent_id)
      for agent_id in self.agent_ids
    }
    self._observation_spec = {
      agent_id: _observation_spec(
        environment.observation_space(agent_id), agent_id
      )
      for agent_id in self.agent_ids
    }
    self._reset_next_step = True

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode, also in the middle of one.

    Raises:
      ValueError: an agent is not there.
    """
    seed, self._seed = self._seed, None
    observations, _ = self._environment.reset(seed=seed)
    self._check_present(observations, 'is not there at the beginning')
    self._reset_next_step = False
    return dm_env.restart(self._observe(observations))

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents.

    Args:
      action: agent id -> integer, for every agent. Ignored before the first
        `reset` and after a LAST time step: both start an episode.

    Returns:
      The next time step: rewards are float32 scalars by agent id.

    Raises:
      ValueError: an action is missing, unknown, no integer or out of range, and
        the episode goes on as if the call had not been made; or an agent leaves
        before the others, and the next step starts an episode.
    """
    if self._reset_next_step:
      return self.reset()
    actions = self._check_actions(action)
    self._reset_next_step = True  # If an agent leaves.
    observations, rewards, terminations, truncations, _ = (
      self._environment.step(actions)
    )
    self._check_present(observations, 'left before the others')
    terminated = self._all_or_none(terminations, 'terminated')
    truncated = self._all_or_none(truncations, 'truncated')
    self._reset_next_step = terminated or truncated
    step_type = dm_env.StepType.MID
    if self._reset_next_step:
      step_type = dm_env.StepType.LAST
    return dm_env.TimeStep(
      step_type,
      {agent_id: np.float32(rewards[agent_id]) for agent_id in self.agent_ids},
      np.float32(not terminated),
      self._observe(observations),
    )

  def action_spec(self) -> dict[str, specs.DiscreteArray]:
    """Returns int32 in [0, number of actions) for each agent."""
    return dict(self._action_spec)

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns {'world': uint8 [H, W, C], ...} for each agent."""
    return dict(self._observation_spec)

  def reward_spec(self) -> dict[str, specs.Array]:
    """Returns a float32 scalar for each agent."""
    spec = specs.Array((), np.float32, name='reward')
    return dict.fromkeys(self.agent_ids, spec)

  def discount_spec(self) -> specs.BoundedArray:
    """Returns a float32 scalar in [0, 1], the same for all agents."""
    return specs.BoundedArray((), np.float32, 0.0, 1.0, name='discount')

  def close(self) -> None:
    """Frees what the wrapped environment holds."""
    self._environment.close()

  def _check_actions(self, action: Any) -> dict[str, int]:
    """Returns everyone's action as the environment takes it."""

    def describe(agent_id: str) -> str:
      return actions_lib.describe_choice(self._action_spec[agent_id].num_values)

    ordered = actions_lib.in_order(action, self.agent_ids, describe)
    return {
      agent_id: actions_lib.check_choice(
        own, self._action_spec[agent_id].num_values, agent_id
      )
      for agent_id, own in zip(self.agent_ids, ordered, strict=True)
    }

  def _check_present(self, observations: Mapping[str, Any], what: str) -> None:
    for agent_id in self.agent_ids:
      if agent_id not in observations:
        raise ValueError(f'Agent {agent_id!r} {what}: {_ALL_TOGETHER}')

  def _all_or_none(self, flags: Mapping[str, bool], what: str) -> bool:
    """Returns what is true of all agents."""
    true = [a for a in self.agent_ids if flags.get(a, False)]
    false = [a for a in self.agent_ids if a not in true]
    if true and false:
      raise ValueError(
        f'Agent {true[0]!r} is {what} and {false[0]!r} is not: {_ALL_TOGETHER}'
      )
    return bool(true)

  def _observe(self, observations: Mapping[str, Any]) -> dict[str, Any]:
    """Returns everyone's observation, as arrays of its own."""
    observed = {}
    for agent_id, spec in self._observation_spec.items():
      own = observations[agent_id]
      if not isinstance(own, Mapping):
        own = {_WORLD: own}
      observed[agent_id] = {
        name: np.array(own[name], part.dtype) for name, part in spec.items()
      }
    return observed


_ALL_TOGETHER = (
  'all agents must end an episode together and for the same reason, since the '
  'discount is one number for all. Keep who is out in the game, with a black '
  'view and reward 0, until it is over.'
)


def _action_spec(
  space: gymnasium_spaces.Space, agent_id: str
) -> specs.DiscreteArray:
  """Returns the spec of an agent's actions."""
  spec = spaces.to_spec(space, 'action')
  if not isinstance(spec, specs.DiscreteArray):
    raise ValueError(
      f'The actions of {agent_id!r} are {space}: they must be Discrete.'
    )
  return spec


def _observation_spec(
  space: gymnasium_spaces.Space, agent_id: str
) -> dict[str, specs.Array]:
  """Returns the spec of an agent's observations."""
  parts = {_WORLD: space}
  if isinstance(space, gymnasium_spaces.Dict):
    parts = dict(space.spaces)
  world = parts.get(_WORLD)
  if world is None or world.dtype != np.uint8 or len(world.shape or ()) != 3:
    raise ValueError(
      f'The observation of {agent_id!r} is {space}: it must be a Box of uint8 '
      "[H, W, C], the pixels that it sees, or a Dict with such a 'world'."
    )
  return {name: spaces.to_spec(part, name) for name, part in parts.items()}
