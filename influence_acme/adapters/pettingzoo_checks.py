"""Checks the spaces and return values of PettingZoo's parallel API."""

from collections.abc import Mapping
from typing import Any

from dm_env import specs
from gymnasium import spaces as gymnasium_spaces

from influence_acme.adapters import spaces
from influence_acme.environments import base as environments_base

# The name of pixels or a vector in an observation.
WORLD = 'world'

ALL_TOGETHER = (
  'all agents must end an episode together and for the same reason, since the '
  'discount is one number for all. With keep_dead=True agents that are '
  'terminated stay in the game, masked, until it is over.'
)


def action_spec(
  space: gymnasium_spaces.Space, agent_id: str
) -> specs.DiscreteArray:
  """Returns the spec of an agent's actions."""
  spec = spaces.to_spec(space, 'action')
  if not isinstance(spec, specs.DiscreteArray):
    raise ValueError(
      f'The actions of {agent_id!r} are {space}: they must be Discrete.'
    )
  return spec


def observation_spaces(
  space: gymnasium_spaces.Space, agent_id: str
) -> dict[str, gymnasium_spaces.Space]:
  """Returns the spaces of the parts of an agent's observations."""
  parts = {WORLD: space}
  if isinstance(space, gymnasium_spaces.Dict):
    parts = dict(space.spaces)
  world = parts.get(WORLD)
  if not isinstance(
    world, gymnasium_spaces.Box
  ) or not environments_base.is_observation(world.shape, world.dtype):
    raise ValueError(
      f'The observation of {agent_id!r} is {space}: it must be a Box of '
      f"{environments_base.OBSERVATIONS}, or a Dict with such a 'world'. Other "
      'dtypes and shapes take a wrapper that converts them.'
    )
  return parts


def check_agents(agents: Any) -> tuple[str, ...]:
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


def check_returned(
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
