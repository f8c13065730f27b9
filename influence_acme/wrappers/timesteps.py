"""Checks each time step of a multi-agent dm_env against the specs.

Errors name the agent and the step, before a replay or a network fails at wrong
values, or learns from them.
"""

from collections.abc import Mapping
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import types

_DISCOUNT = specs.BoundedArray((), np.float32, 0.0, 1.0)


class TimestepCheck:
  """Checks the time steps of one environment, one after the other."""

  def __init__(self, environment: Any):
    """Reads the specs.

    Args:
      environment: a multi-agent `dm_env.Environment`, with `agent_ids`.

    Raises:
      ValueError: the specs are not of exactly the agents.
    """
    ids = self._agent_ids = tuple(environment.agent_ids)
    self._observations, self._rewards = (
      types.in_order(getattr(environment, name)(), ids, f'{name}()')
      for name in ('observation_spec', 'reward_spec')
    )
    self._num_steps = 0

  def __call__(self, timestep: dm_env.TimeStep) -> dm_env.TimeStep:
    """Checks a time step, and returns it with its dicts in the agents' order.

    Args:
      timestep: the next one of the environment.

    Raises:
      ValueError: an agent is missing or unknown, or a value is not finite or
        not what its spec says; but rewards and discount may be of any real
        dtype, as they are converted to float32.
    """
    self._num_steps = 0 if timestep.first() else self._num_steps + 1
    observation = self._in_order(timestep.observation, 'observation')
    for agent_id, own in observation.items():
      spec = self._observations[agent_id]
      self._require(agent_id, _observation_problem(spec, own, 'observation'))
    if timestep.first():
      return timestep._replace(observation=observation)
    reward = self._in_order(timestep.reward, 'reward')
    for agent_id, own in reward.items():
      spec = self._rewards[agent_id]
      self._require(agent_id, _number_problem(spec, own, 'reward'))
    problem = _number_problem(_DISCOUNT, timestep.discount, 'discount')
    self._require('all agents', problem)
    return timestep._replace(observation=observation, reward=reward)

  def _in_order(self, values: Any, name: str) -> dict[types.AgentId, Any]:
    where = f'{name} at step {self._num_steps} of the episode'
    return types.in_order(values, self._agent_ids, where)

  def _require(self, agent_id: types.AgentId, problem: str) -> None:
    if problem:
      raise ValueError(
        f'Agent {agent_id!r} at step {self._num_steps} of the episode: '
        f'{problem}.'
      )


def _observation_problem(spec: Any, value: Any, name: str) -> str:
  """Describes how a value differs from its spec; '' if it does not."""
  if not isinstance(spec, Mapping):
    array = np.asarray(value)
    if array.dtype != spec.dtype:
      return f'{name} is of {array.dtype}, by its spec it must be {spec.dtype}'
    return _number_problem(spec, array, name)
  if not isinstance(value, Mapping) or value.keys() != spec.keys():
    has = list(value) if isinstance(value, Mapping) else repr(value)
    return f'{name} is {has}, by its spec it must be a dict of {list(spec)}'
  problems = (
    _observation_problem(spec[key], value[key], repr(key)) for key in spec
  )
  return next(filter(None, problems), '')


def _number_problem(spec: specs.Array, value: Any, name: str) -> str:
  """The same, but for the dtype: any one of real numbers will do."""
  array = np.asarray(value)
  if array.dtype.kind not in 'biuf':
    return f'{name} is {value!r}, it must be of real numbers'
  if array.shape != spec.shape:
    return f'{name} is of shape {array.shape}, it must be {spec.shape}'
  if array.dtype.kind == 'f':
    with np.errstate(over='ignore'):
      is_finite = np.isfinite(array.astype(np.float32))
    if not is_finite.all():
      return f'{name} holds {array[~is_finite].flat[0]}, it must be finite'
  if not isinstance(spec, specs.BoundedArray) or _is_whole_range(spec, array):
    return ''
  outside = (array < spec.minimum) | (array > spec.maximum)
  if not outside.any():
    return ''
  return (
    f'{name} holds {array[outside].flat[0]}, by its spec it must be from '
    f'{spec.minimum.min()} to {spec.maximum.max()}'
  )


def _is_whole_range(spec: specs.BoundedArray, array: np.ndarray) -> bool:
  """Returns whether pixels have the bounds of their dtype: nothing to check."""
  return (
    array.dtype == np.uint8
    and spec.minimum.ndim == spec.maximum.ndim == 0
    and (spec.minimum, spec.maximum) == (0, 255)
  )
