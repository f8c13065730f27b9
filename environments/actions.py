"""What the agents do in one step: a dict of actions, checked, as one array."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def joint_action(
  actions: Mapping[str, Any], agent_ids: Sequence[str], num_actions: int
) -> np.ndarray:
  """Checks a dict of actions and brings it into the agents' order.

  Args:
    actions: agent id -> integer in [0, num_actions): a Python integer, or a
      scalar array of any integer type.
    agent_ids: the agents, in order.
    num_actions: how many actions each agent chooses from.

  Returns:
    int32 [N], in the order of `agent_ids`, whatever the order of the dict.

  Raises:
    ValueError: an action is missing, not an integer or out of range, or an
      agent is unknown.
  """
  valid = f'an integer from 0 to {num_actions - 1} ({num_actions} actions)'
  if not isinstance(actions, Mapping):
    raise ValueError(
      f'Actions are {actions!r}: give a dict that holds for each of '
      f'{", ".join(agent_ids)} {valid}.'
    )
  joint = np.empty(len(agent_ids), np.int32)
  for i, agent_id in enumerate(agent_ids):
    if agent_id not in actions:
      raise ValueError(f'No action for {agent_id!r}: give {valid}.')
    action = _as_integer(actions[agent_id])
    if action is None or not 0 <= action < num_actions:
      raise ValueError(
        f'Action of {agent_id!r} is {actions[agent_id]!r}: give {valid}.'
      )
    joint[i] = action
  if len(actions) > len(agent_ids):
    unknown = next(key for key in actions if key not in agent_ids)
    raise ValueError(
      f'Action for unknown agent {unknown!r}: give each of '
      f'{", ".join(agent_ids)} {valid}, and nobody else.'
    )
  return joint


def _as_integer(action: Any) -> int | None:
  """Returns the integer that `action` is, or None: 1.0 and True are none."""
  if isinstance(action, (bool, np.bool_)):
    return None
  try:
    return operator.index(action)
  except TypeError:
    return None
