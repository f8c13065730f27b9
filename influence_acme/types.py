"""Defines the agents' names and their order, for every layer."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from influence_acme import checks

__all__ = (
  'AgentId',
  'agent_ids',
  'check_agent_ids',
  'in_order',
  'others',
  'others_of_all',
)

_T = TypeVar('_T')

AgentId = str
# Of columns, mathematical text, and paths of parameters.
_RESERVED = frozenset('/$\'"\\')


def agent_ids(num_agents: int) -> tuple[AgentId, ...]:
  """Returns the agents' names, in the order of every axis N.

  Args:
    num_agents: N, at least 1.

  Returns:
    ('agent_0', ..., 'agent_{N-1}').

  Raises:
    ValueError: there is no agent, or it is no integer.
  """
  checks.integer('num_agents', num_agents, 1)
  return tuple(f'agent_{i}' for i in range(num_agents))


def in_order(
  values: Mapping[AgentId, _T], agent_ids: Sequence[AgentId], name: str
) -> dict[AgentId, _T]:
  """Returns a dict by agent in the agents' order, whatever its own order is.

  A dict's own order means nothing, and JAX sorts keys (agent_10 before
  agent_2): every axis N is made by this function or by looking ids up.

  Args:
    values: by agent id.
    agent_ids: N names.
    name: of the dict, for the error.

  Raises:
    ValueError: an agent is missing or unknown, or it is no dict.
  """
  if (
    isinstance(values, Mapping)
    and len(values) == len(agent_ids)
    and all(agent_id in values for agent_id in agent_ids)
  ):
    return {agent_id: values[agent_id] for agent_id in agent_ids}
  allowed = f'it must be a dict of exactly {", ".join(map(str, agent_ids))}'
  if not isinstance(values, Mapping):
    raise ValueError(f'{name} is {values!r}: {allowed}.')
  missing = [agent_id for agent_id in agent_ids if agent_id not in values]
  unknown = [key for key in values if key not in agent_ids]
  raise ValueError(
    f'{name} is of {list(values)}: {allowed}; missing are {missing}, not '
    f'among them {unknown}.'
  )


def others(
  own_index: int | jax.Array, num_agents: int
) -> np.ndarray | jax.Array:
  """Returns the indices of the others, in the order of an axis J = N - 1.

  Args:
    own_index: the agent to leave out; an int, or an int [] that JAX traces, so
      that one compiled function can serve all agents under `jax.vmap`.
    num_agents: N.

  Returns:
    int32 [J], the others' indices in the agents' order; a NumPy array for an
    int, so that JAX can use it as a constant.

  Raises:
    ValueError: the own index is an int and out of range.
  """
  checks.integer('num_agents', num_agents, 1)
  if not isinstance(own_index, (jax.Array, np.ndarray)):
    checks.integer('own_index', own_index, 0, num_agents - 1)
  index = np.arange(num_agents - 1, dtype=np.int32)
  return index + (own_index <= index)


def others_of_all(num_agents: int) -> np.ndarray:
  """Returns the others of every agent, int32 [N, J], in the agents' order.

  Args:
    num_agents: N.

  Raises:
    ValueError: there is no agent, or it is no integer.
  """
  checks.integer('num_agents', num_agents, 1)
  return np.stack([others(i, num_agents) for i in range(num_agents)])


def check_agent_ids(agent_ids: Sequence[Any]) -> None:
  """Checks the names of agents: they become parts of columns, files and pages.

  Args:
    agent_ids: of an environment.

  Raises:
    ValueError: one is no text, empty, named twice, or has characters that mean
      something there.
  """
  for agent_id in agent_ids:
    if (
      not isinstance(agent_id, str)
      or not agent_id
      or not agent_id.isprintable()
      or set(agent_id) & _RESERVED
      or list(agent_ids).count(agent_id) > 1
    ):
      raise ValueError(
        f'agent_ids has {agent_id!r}: each agent must have a name of its own, '
        f'a str of printable characters without {" ".join(sorted(_RESERVED))}.'
      )
