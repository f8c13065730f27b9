"""An environment of PettingZoo's parallel API as a multi-agent dm_env."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pettingzoo
from dm_env import specs
from gymnasium import spaces as gymnasium_spaces

from influence_acme.adapters import base, spaces

_WORLD = 'world'


class PettingZooEnvironment(base.AdaptedEnvironment):
  """Plays an environment of PettingZoo's parallel API through a dm_env.

  Its agents must see pixels, choose from a number of actions, and be there from
  an episode's beginning to its end: the discount, which says whether the future
  counts, is one number for all of them.

  An episode ends with discount 0 if it was terminated, and with discount 1 if
  it was only truncated, as by a time limit. An agent that is not there raises a
  ValueError.
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
    agents = tuple(environment.possible_agents)
    super().__init__(
      {a: _action_spec(environment.action_space(a), a) for a in agents},
      {
        a: _observation_spec(environment.observation_space(a), a)
        for a in agents
      },
    )
    self._environment = environment
    self._seed: int | None = seed

  def close(self) -> None:
    """Frees what the wrapped environment holds."""
    self._environment.close()

  def _start(self) -> dict[str, dict[str, np.ndarray]]:
    """Starts an episode; everyone must be there."""
    seed, self._seed = self._seed, None
    observations, _ = self._environment.reset(seed=seed)
    self._check_present(observations, 'is not there at the beginning')
    return self._observe(observations)

  def _play(self, actions: dict[str, int]) -> base.Outcome:
    """Plays one step; all agents must stay, or end it for one reason."""
    observations, rewards, terminations, truncations, _ = (
      self._environment.step(actions)
    )
    self._check_present(observations, 'left before the others')
    is_terminated = self._all_or_none(terminations, 'terminated')
    is_truncated = self._all_or_none(truncations, 'truncated')
    return base.Outcome(
      rewards,
      self._observe(observations),
      is_last=is_terminated or is_truncated,
      discount=float(not is_terminated),
    )

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

  def _observe(
    self, observations: Mapping[str, Any]
  ) -> dict[str, dict[str, np.ndarray]]:
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
