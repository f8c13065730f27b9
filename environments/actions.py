"""Checks a step's dict of actions, and stacks it into one array."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def joint_action(
  actions: Mapping[str, Any], agent_ids: Sequence[str], num_actions: int
) -> np.ndarray:
  """Checks a dict of actions and stacks it in the agents' order.

  Args:
    actions: agent id -> integer in [0, num_actions): a Python integer, or a
      scalar array of any integer type.
    agent_ids: the agents, in order.
    num_actions: number of actions of each agent.

  Returns:
    int32 [N], in the order of `agent_ids`, for any order of the dict.

  Raises:
    ValueError: an action is missing, not an integer or out of range, or an
      agent is unknown.
  """
  ordered = in_order(actions, agent_ids, lambda _: describe_choice(num_actions))
  checked = [
    check_choice(action, num_actions, agent_id)
    for agent_id, action in zip(agent_ids, ordered, strict=True)
  ]
  return np.array(checked, np.int32)


def in_order(
  actions: Any, agent_ids: Sequence[str], describe: Callable[[str], str]
) -> list[Any]:
  """Checks that a dict has every agent's action, and sorts it by agent.

  Args:
    actions: agent id -> action, of any kind.
    agent_ids: the agents, in order.
    describe: describes an agent's valid actions; called for an error only,
      since the text would take more time than all checks.

  Returns:
    The N actions in the order of `agent_ids`, for any order of the dict.

  Raises:
    ValueError: an action is missing, or an agent is unknown.
  """
  if (
    not isinstance(actions, Mapping)
    or len(actions) != len(agent_ids)
    or not all(agent_id in actions for agent_id in agent_ids)
  ):
    raise ValueError(_wrong_agents(actions, agent_ids, describe))
  return [actions[agent_id] for agent_id in agent_ids]


def _wrong_agents(
  actions: Any, agent_ids: Sequence[str], describe: Callable[[str], str]
) -> str:
  """Returns the message of the error that `in_order` raises."""
  valid = ' or '.join(dict.fromkeys(map(describe, agent_ids)))
  everyone = f'each of {", ".join(agent_ids)} {valid}'
  if not isinstance(actions, Mapping):
    return f'Actions are {actions!r}: give a dict that holds for {everyone}.'
  for agent_id in agent_ids:
    if agent_id not in actions:
      return f'No action for {agent_id!r}: give {describe(agent_id)}.'
  unknown = next(key for key in actions if key not in agent_ids)
  return (
    f'Action for unknown agent {unknown!r}: give {everyone}, and nobody else.'
  )


def describe_choice(num_choices: int, noun: str = 'action') -> str:
  """Describes the choices that `check_choice` accepts."""
  return f'an integer from 0 to {num_choices - 1} ({num_choices} {noun}s)'


def check_choice(
  choice: Any, num_choices: int, agent_id: str, noun: str = 'action'
) -> int:
  """Checks one choice of one agent.

  Args:
    choice: an integer in [0, num_choices), as for `joint_action`.
    num_choices: number of choices.
    agent_id: the agent, for the error.
    noun: name of the choice, for the error.

  Returns:
    The choice as a Python integer.

  Raises:
    ValueError: it is not an integer or out of range.
  """
  number = _as_integer(choice)
  if number is None or not 0 <= number < num_choices:
    raise ValueError(
      f'{noun.capitalize()} of {agent_id!r} is {choice!r}: give '
      f'{describe_choice(num_choices, noun)}.'
    )
  return number


def _as_integer(action: Any) -> int | None:
  """Returns the action as an integer; None if it is 1.0, True or the like."""
  if isinstance(action, (bool, np.bool_)):
    return None
  try:
    return operator.index(action)
  except TypeError:
    return None
