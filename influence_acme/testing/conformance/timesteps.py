"""Checks each time step of a multi-agent dm_env."""

from collections.abc import Mapping
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from influence_acme.testing.conformance import assertions

# Agent id -> action, or dict of actions.
Actions = dict[str, Any]


def check_first(environment: Any, timestep: dm_env.TimeStep, when: str) -> None:
  """Checks the time step that starts an episode.

  Args:
    environment: the environment that returned it.
    timestep: what it returned.
    when: on what occasion, for the message.

  Raises:
    AssertionError: the time step breaks the contract.
  """
  assertions.require(
    timestep.first() and timestep.reward is None and timestep.discount is None,
    f'{when} must return FIRST, with reward None and discount None.',
  )
  _check_observation(environment, timestep.observation, actions=None)


def check_later(
  environment: Any, timestep: dm_env.TimeStep, actions: Actions
) -> None:
  """Checks the time step that follows actions within an episode.

  Args:
    environment: the environment that returned it.
    timestep: what it returned.
    actions: what was played just before.

  Raises:
    AssertionError: the time step breaks the contract.
  """
  assertions.require(
    not timestep.first(), 'FIRST came before the episode was over.'
  )
  ids = environment.agent_ids
  assertions.require(
    isinstance(timestep.reward, Mapping) and set(timestep.reward) == set(ids),
    f'reward must be a dict with keys {ids}; it is {timestep.reward!r}.',
  )
  for agent_id, spec in environment.reward_spec().items():
    _check_value(spec, timestep.reward[agent_id], f'reward of {agent_id!r}')
  _check_value(environment.discount_spec(), timestep.discount, 'discount')
  _check_observation(environment, timestep.observation, actions)


def _check_value(spec: specs.Array, value: Any, name: str) -> None:
  """Checks one array against its spec."""
  try:
    spec.validate(value)
  except ValueError as error:
    raise AssertionError(f'The {name} breaks its spec: {error}') from error
  # Specs allow NaN, whatever their bounds.
  assertions.require(
    np.isfinite(value).all(), f'The {name} must be finite; it is {value!r}.'
  )


def _check_observation(
  environment: Any, observation: Any, actions: Actions | None
) -> None:
  """Checks everyone's observation, and that it shows what was done last."""
  ids = environment.agent_ids
  assertions.require(
    isinstance(observation, Mapping) and set(observation) == set(ids),
    f'observation must be a dict with keys {ids}.',
  )
  for i, (agent_id, spec) in enumerate(environment.observation_spec().items()):
    own = observation[agent_id]
    assertions.require(
      set(own) == set(spec),
      f'{agent_id!r} observes {sorted(own)}, but by its spec {sorted(spec)}.',
    )
    for name in spec:
      _check_value(spec[name], own[name], f'{name!r} of {agent_id!r}')
    if 'actions' in own:
      np.testing.assert_array_equal(
        own['actions'],
        _but_of_dead(own, 'actions', _expected_actions(ids, actions)),
        "'actions' must be what was played in the step before, -1 on FIRST.",
      )
    if 'messages' in own:
      np.testing.assert_array_equal(
        own['messages'],
        _but_of_dead(own, 'messages', _expected_messages(ids, actions)),
        "'messages' must be what was said in the step before, -1 on FIRST.",
      )
    if 'visible' in own:
      assertions.require(
        not own['visible'][i], "An own entry of 'visible' is not False."
      )
    if 'visible' in own and hasattr(environment, 'visible'):
      np.testing.assert_array_equal(
        own['visible'],
        environment.visible()[i],
        "'visible' must be the agent's row of visible() at this step.",
      )


def _but_of_dead(
  own: Mapping[str, Any], name: str, expected: list[Any]
) -> np.ndarray:
  """Returns what an entry must hold; of the dead it may hold -1 instead."""
  if 'alive' not in own:
    return np.asarray(expected)
  return np.where((own[name] == -1) & ~own['alive'], -1, expected)


def _expected_actions(
  ids: tuple[str, ...], actions: Actions | None
) -> list[Any]:
  """Returns what 'actions' must hold, in the agents' order."""
  if actions is None:
    return [-1] * len(ids)
  played = [actions[agent_id] for agent_id in ids]
  return [a['action'] if isinstance(a, Mapping) else a for a in played]


def _expected_messages(
  ids: tuple[str, ...], actions: Actions | None
) -> list[Any]:
  """Returns what 'messages' must hold, in the agents' order."""
  if actions is None:
    return [-1] * len(ids)
  spoken = [actions[agent_id] for agent_id in ids]
  assertions.require(
    all(isinstance(own, Mapping) and 'message' in own for own in spoken),
    "Where 'messages' are observed, every action must hold a 'message'.",
  )
  return [own['message'] for own in spoken]
