"""Checks each time step of a multi-agent dm_env against the specs.

Errors name the agent and the step, before a replay or a network fails at wrong
values, or learns from them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import types

_DISCOUNT = specs.BoundedArray((), np.float32, 0.0, 1.0)
# A little less than the largest float32: what is beyond is looked at closely.
_LARGE = 3.4e38
_FLOATS = (float, np.floating)
# Up to here Python's floats tell any two integers apart.
_EXACT = 2**53 - 1
# Quicker than the methods of arrays; NaN, if there is any.
_lowest, _highest = np.minimum.reduce, np.maximum.reduce


class _Leaf(NamedTuple):
  """Holds what to check of an array.

  Attributes:
    shape: of the array.
    dtype: of the array.
    low: the least value.
    high: the largest value.
    is_plain: whether every value of this dtype will do.
  """

  shape: tuple[int, ...]
  dtype: np.dtype
  low: float
  high: float
  is_plain: bool


class TimestepCheck:
  """Checks the time steps of one environment, one after the other."""

  def __init__(self, environment: Any):
    """Reads the specs of a multi-agent environment.

    Raises:
      ValueError: the specs are not of exactly the agents.
    """
    ids = self._agent_ids = tuple(environment.agent_ids)
    self._observations, self._rewards = (
      types.in_order(getattr(environment, name)(), ids, f'{name}()')
      for name in ('observation_spec', 'reward_spec')
    )
    self._leaves = [
      _leaves(self._observations[i], self._rewards[i]) for i in ids
    ]
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
    if self._is_usual(timestep):
      return timestep
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

  def _is_usual(self, timestep: dm_env.TimeStep) -> bool:
    """Returns True only if a step is valid, and in the agents' order.

    It takes microseconds; the closer look, which words the error, takes about
    eight times as long.
    """
    _, reward, discount, observation = timestep
    if not (
      type(observation) is type(reward) is dict
      and tuple(observation) == tuple(reward) == self._agent_ids
      and isinstance(discount, _FLOATS)
      # NumPy compares its own scalars thirty times as slowly.
      and 0.0 <= float(discount) <= 1.0
    ):
      return False
    for own, paid, leaves in zip(
      observation.values(), reward.values(), self._leaves, strict=True
    ):
      if leaves is None or type(own) is not dict or len(own) != len(leaves):
        return False
      if not (isinstance(paid, _FLOATS) and -_LARGE < float(paid) < _LARGE):
        return False
      for key, (shape, dtype, low, high, is_plain) in leaves.items():
        value = own.get(key)
        if (
          type(value) is not np.ndarray
          or value.shape != shape
          or value.dtype != dtype
        ):
          return False
        if is_plain:
          continue
        # Written so that NaN fails, too.
        if not (
          value.size
          and low <= float(_lowest(value, axis=None))
          and float(_highest(value, axis=None)) <= high
        ):
          return False
    return True

  def _in_order(self, values: Any, name: str) -> dict[types.AgentId, Any]:
    where = f'{name} at step {self._num_steps} of the episode'
    return types.in_order(values, self._agent_ids, where)

  def _require(self, agent_id: types.AgentId, problem: str) -> None:
    if problem:
      raise ValueError(
        f'Agent {agent_id!r} at step {self._num_steps} of the episode: '
        f'{problem}.'
      )


def _leaves(observation: Any, reward: Any) -> dict[str, _Leaf] | None:
  """Returns the leaves of an agent's specs; None if they are unusual."""
  if type(reward) is not specs.Array or reward.shape != ():
    return None
  if not isinstance(observation, Mapping):
    return None
  found = {}
  for key, spec in observation.items():
    leaf = _leaf(spec)
    if leaf is None:
      return None
    found[key] = leaf
  return found


def _leaf(spec: Any) -> _Leaf | None:
  """Returns what to check by a spec; None if it is no array, or unusual."""
  if not isinstance(spec, specs.Array) or spec.dtype.kind not in 'biuf':
    return None
  shape, dtype = spec.shape, spec.dtype
  is_float = dtype.kind == 'f'
  low, high = -np.inf, np.inf
  is_plain = not is_float
  if isinstance(spec, specs.BoundedArray):
    if spec.minimum.ndim or spec.maximum.ndim:
      return None
    low, high = spec.minimum.item(), spec.maximum.item()
    is_plain = _is_whole_range(spec, dtype)
  # What is larger is left to the closer look.
  large = min(float(np.finfo(dtype).max), _LARGE) if is_float else _EXACT
  return _Leaf(shape, dtype, max(low, -large), min(high, large), is_plain)


def _observation_problem(spec: Any, value: Any, name: str) -> str:
  """Describes how a value differs from its spec; '' if it does not."""
  if not isinstance(spec, (Mapping, specs.Array)):
    return ''  # Of a spec of another kind there is nothing to compare.
  if not isinstance(spec, Mapping):
    array = np.asarray(value)
    if isinstance(spec, specs.StringArray):
      return _shape_problem(spec, array, name)
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


def _shape_problem(spec: Any, array: np.ndarray, name: str) -> str:
  """The same, of the shape alone."""
  if not isinstance(spec, specs.Array) or array.shape == spec.shape:
    return ''
  return f'{name} is of shape {array.shape}, it must be {spec.shape}'


def _number_problem(spec: Any, value: Any, name: str) -> str:
  """The same, but for the dtype: any one of real numbers will do."""
  array = np.asarray(value)
  if not _is_real(array.dtype):
    return f'{name} is {value!r}, it must be of real numbers'
  if problem := _shape_problem(spec, array, name):
    return problem
  if array.dtype.kind not in 'biu':
    with np.errstate(over='ignore'):
      is_finite = np.isfinite(array.astype(np.float32))
    if not is_finite.all():
      return f'{name} holds {array[~is_finite].flat[0]}, it must be finite'
  if not isinstance(spec, specs.BoundedArray) or _is_whole_range(
    spec, array.dtype
  ):
    return ''
  outside = (array < spec.minimum) | (array > spec.maximum)
  if not outside.any():
    return ''
  return (
    f'{name} holds {array[outside].flat[0]}, by its spec it must be from '
    f'{spec.minimum.min()} to {spec.maximum.max()}'
  )


def _is_real(dtype: np.dtype) -> bool:
  """Returns whether a dtype is of real numbers, as bfloat16 is too."""
  is_extension = dtype.kind == 'V' and dtype.names is None
  return dtype.kind in 'biuf' or (
    is_extension and np.can_cast(dtype, np.float32)
  )


def _is_whole_range(spec: specs.BoundedArray, dtype: np.dtype) -> bool:
  """Returns whether pixels have the bounds of their dtype: nothing to check."""
  return (
    dtype == np.uint8
    and spec.minimum.ndim == spec.maximum.ndim == 0
    and (spec.minimum, spec.maximum) == (0, 255)
  )
