"""Adapts environments of PettingZoo's parallel API to multi-agent dm_envs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pettingzoo
from dm_env import specs
from gymnasium import spaces as gymnasium_spaces

from influence_acme.adapters import base, spaces
from influence_acme.environments import base as environments_base

_WORLD = 'world'

# The return values of the parallel API's functions.
_RESET = ('observations', 'infos')
_STEP = ('observations', 'rewards', 'terminations', 'truncations', 'infos')


class PettingZooEnvironment(base.AdaptedEnvironment):
  """Plays an environment of PettingZoo's parallel API through a dm_env.

  Its agents must observe pixels or a vector, have discrete actions, and stay
  from an episode's beginning to its end, since the discount is one number for
  all of them.

  An episode ends with discount 0 if it was terminated, and with discount 1 if
  it was only truncated, as by a time limit. A missing agent, or an observation
  outside of its space, raises a ValueError.
  """

  def __init__(self, environment: pettingzoo.ParallelEnv, seed: int = 0):
    """Initialises the environment.

    Args:
      environment: has `possible_agents`, strings. All actions are Discrete,
        observations are a Box of uint8 [H, W, C] or float32 [D], which becomes
        'world', or a Dict with such a 'world'.
      seed: given to the first reset.

    Raises:
      ValueError: agents, actions or observations are of another kind.
    """
    agents = _check_agents(getattr(environment, 'possible_agents', None))
    self._spaces = {
      a: _observation_spaces(environment.observation_space(a), a)
      for a in agents
    }
    super().__init__(
      {a: _action_spec(environment.action_space(a), a) for a in agents},
      {
        a: {name: spaces.to_spec(part, name) for name, part in own.items()}
        for a, own in self._spaces.items()
      },
    )
    self._environment = environment
    self._seed: int | None = seed

  @property
  def render(self) -> Callable[[], np.ndarray]:
    """Draws the environment; films of episodes use it.

    Only environments that were made with render_mode='rgb_array' have it.
    """
    mode = getattr(self._environment, 'render_mode', None)
    if mode != 'rgb_array':
      raise AttributeError(
        f"render_mode is {mode!r}: make the environment with 'rgb_array'."
      )
    return self._environment.render  # type: ignore[no-any-return]

  def close(self) -> None:
    """Closes the wrapped environment."""
    self._environment.close()

  def _start(self) -> dict[str, dict[str, np.ndarray]]:
    """Starts an episode; all agents must be present."""
    seed, self._seed = self._seed, None
    result = self._environment.reset(seed=seed)
    observations, _ = _check_returned(result, 'reset', _RESET)
    self._check_present(observations, 'is not there at the beginning')
    return self._observe(observations)

  def _play(self, actions: dict[str, int]) -> base.AdaptedStep:
    """Plays one step; all agents must stay, or end for the same reason."""
    result = self._environment.step(actions)
    observations, rewards, terminations, truncations, _ = _check_returned(
      result, 'step', _STEP
    )
    if not any(agent_id in observations for agent_id in self.agent_ids):
      raise ValueError(
        'step() returned no observations: it must return those of all agents, '
        'in the last step of an episode too.'
      )
    self._check_present(
      observations, 'left before the others, or skipped a step'
    )
    is_terminated = self._all_or_none(terminations, 'terminated')
    is_truncated = self._all_or_none(truncations, 'truncated')
    return base.AdaptedStep(
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
    """Returns a flag that must be equal for all agents."""
    for agent_id in self.agent_ids:
      if agent_id not in flags:
        raise ValueError(
          f'step() did not say whether agent {agent_id!r} is {what}: it must '
          'do so for all agents.'
        )
    true = [a for a in self.agent_ids if flags[a]]
    false = [a for a in self.agent_ids if a not in true]
    if true and false:
      raise ValueError(
        f'Agent {true[0]!r} is {what} and {false[0]!r} is not: {_ALL_TOGETHER}'
      )
    return bool(true)

  def _observe(
    self, observations: Mapping[str, Any]
  ) -> dict[str, dict[str, np.ndarray]]:
    """Returns copies of everyone's observations."""
    observed = {}
    for agent_id, parts in self._spaces.items():
      own = observations[agent_id]
      if not isinstance(own, Mapping):
        own = {_WORLD: own}
      missing = [name for name in parts if name not in own]
      if missing:
        raise ValueError(
          f'Agent {agent_id!r} observes {sorted(own)}, without {missing[0]!r}: '
          f'its space has {sorted(parts)}.'
        )
      observed[agent_id] = {
        name: spaces.to_value(space, own[name], f'{name!r} of {agent_id!r}')
        for name, space in parts.items()
      }
    return observed


_ALL_TOGETHER = (
  'all agents must end an episode together and for the same reason, since the '
  'discount is one number for all. Keep an agent that is out in the game, with '
  'a view of zeros and reward 0, until it is over.'
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


def _observation_spaces(
  space: gymnasium_spaces.Space, agent_id: str
) -> dict[str, gymnasium_spaces.Space]:
  """Returns the spaces of the parts of an agent's observations."""
  parts = {_WORLD: space}
  if isinstance(space, gymnasium_spaces.Dict):
    parts = dict(space.spaces)
  world = parts.get(_WORLD)
  if not isinstance(
    world, gymnasium_spaces.Box
  ) or not environments_base.is_observation(world.shape, world.dtype):
    raise ValueError(
      f'The observation of {agent_id!r} is {space}: it must be a Box of '
      f"{environments_base.OBSERVATIONS}, or a Dict with such a 'world'. Other "
      'dtypes and shapes take a wrapper that converts them.'
    )
  return parts


def _check_agents(agents: Any) -> tuple[str, ...]:
  """Returns the agents' names."""
  if (
    not isinstance(agents, (list, tuple))
    or not agents
    or not all(isinstance(agent, str) for agent in agents)
  ):
    raise ValueError(
      f'possible_agents is {agents!r}: it must be a list of the names, each a '
      'string, of all agents that there will ever be.'
    )
  return tuple(agents)


def _check_returned(
  result: Any, function: str, parts: tuple[str, ...]
) -> tuple[Mapping[str, Any], ...]:
  """Checks that a function returned its dicts by agent, and returns them."""
  if (
    not isinstance(result, tuple)
    or len(result) != len(parts)
    or not all(isinstance(part, Mapping) for part in result)
  ):
    kinds = type(result).__name__
    if isinstance(result, tuple):
      kinds = f'({", ".join(type(part).__name__ for part in result)})'
    raise ValueError(
      f'{function}() returned {kinds}: it must return ({", ".join(parts)}), '
      'dicts by agent.'
    )
  return result
