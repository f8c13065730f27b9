"""Defines the agents' names and their order, for every layer."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

__all__ = ('AgentId', 'agent_ids', 'check_agent_ids', 'others', 'others_of_all')

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
    ValueError: there is no agent.
  """
  if num_agents < 1:
    raise ValueError(f'num_agents must be at least 1, got {num_agents}.')
  return tuple(f'agent_{i}' for i in range(num_agents))


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
  is_known = isinstance(own_index, (int, np.integer))
  if is_known and not 0 <= own_index < num_agents:
    raise ValueError(
      f'own_index must be in 0..{num_agents - 1} for {num_agents} agents, got '
      f'{own_index}.'
    )
  index = np.arange(num_agents - 1, dtype=np.int32)
  return index + (own_index <= index)


def others_of_all(num_agents: int) -> np.ndarray:
  """Returns the others of every agent, int32 [N, J], in the agents' order.

  Args:
    num_agents: N.
  """
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
