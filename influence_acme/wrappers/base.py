"""Defines the base of all wrappers, which forwards every method."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import types
from influence_acme.wrappers import timesteps


class EnvironmentWrapper(dm_env.Environment):
  """Forwards everything to a multi-agent dm_env.

  Attributes that dm_env does not define (`agent_ids`, `visible`, `alive`,
  `render`, `save`, `restore`, ...) are those of the wrapped environment; specs
  come in the order of `agent_ids`. The innermost wrapper checks every time
  step, see `timesteps`. Subclasses override the methods that they change, and
  the specs; one that keeps state of its own is a `StatefulWrapper`.
  """

  def __init__(self, environment: Any):
    """Wraps a multi-agent `dm_env.Environment`, with `agent_ids`."""
    types.check_agent_ids(environment.agent_ids)
    self._environment = environment
    self._check: timesteps.TimestepCheck | None = None

  def __getattr__(self, name: str) -> Any:
    # Private names stay private; forwarding them would also never end while
    # the wrapper is being unpickled and has no environment yet.
    if name.startswith('_'):
      raise AttributeError(f'{type(self).__name__} has no attribute {name!r}.')
    return getattr(self._environment, name)

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode."""
    return self._checked(self._environment.reset())

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents."""
    return self._checked(self._environment.step(action))

  def action_spec(self) -> Any:
    """Returns the wrapped environment's actions."""
    return self._in_order('action_spec')

  def observation_spec(self) -> Any:
    """Returns the wrapped environment's observations."""
    return self._in_order('observation_spec')

  def reward_spec(self) -> Any:
    """Returns the wrapped environment's rewards."""
    return self._in_order('reward_spec')

  def discount_spec(self) -> Any:
    """Returns the wrapped environment's discount."""
    return self._environment.discount_spec()

  def close(self) -> None:
    """Closes the wrapped environment."""
    self._environment.close()

  def _checked(self, timestep: dm_env.TimeStep) -> dm_env.TimeStep:
    """Checks a time step of the wrapped environment, and returns it."""
    if isinstance(self._environment, EnvironmentWrapper):
      return timestep
    if self._check is None:
      self._check = timesteps.TimestepCheck(self._environment)
    return self._check(timestep)

  def _in_order(self, name: str) -> dict[str, Any]:
    """Returns a spec of the wrapped environment in the agents' order."""
    spec = getattr(self._environment, name)()
    return types.in_order(spec, self._environment.agent_ids, f'{name}()')


class StatefulWrapper(EnvironmentWrapper):
  """Saves and restores what it keeps beside the wrapped environment's state."""

  # Names of its attributes, without the '_'.
  _kept: tuple[str, ...]

  def save(self) -> dict[str, Any]:
    """Returns the wrapped environment's state, and its own."""
    own = {x: copy.deepcopy(getattr(self, f'_{x}')) for x in self._kept}
    return {'environment': self._environment.save(), **own}

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a state of `save` exactly."""
    self._environment.restore(state['environment'])
    for name in self._kept:
      setattr(self, f'_{name}', copy.deepcopy(state[name]))


def alive(environment: Any) -> np.ndarray:
  """Returns the agents that are alive, bool [N]; all without an `alive()`.

  Raises:
    ValueError: `alive()` is of another shape.
  """
  shape = (len(environment.agent_ids),)
  if not hasattr(environment, 'alive'):
    return np.ones(shape, bool)
  found = np.array(environment.alive(), bool)
  if found.shape != shape:
    raise ValueError(
      f'alive() has shape {found.shape}: it must be {shape}, an entry for each '
      'agent.'
    )
  return found


def check_extendable(
  environment: Any, added: Sequence[str], advice: str
) -> None:
  """Raises ValueError: an environment's specs cannot be extended by a wrapper.

  Actions or observations are of another kind, or the observations have an entry
  already that would be added. The advice is for actions that are not scalar
  `DiscreteArray`s.
  """
  action_spec = environment.action_spec()
  observation_spec = environment.observation_spec()
  if not isinstance(action_spec, Mapping):
    raise ValueError(
      f'action_spec() is {action_spec!r}: it must be a dict by agent id. Wrap '
      'the multi-agent environment, not the view that one agent has of it.'
    )
  for agent_id in environment.agent_ids:
    if not isinstance(action_spec[agent_id], specs.DiscreteArray):
      raise ValueError(
        f'The actions of {agent_id!r} are {action_spec[agent_id]!r}: they must '
        f'be a scalar DiscreteArray. {advice}'
      )
    inner = observation_spec[agent_id]
    if not isinstance(inner, Mapping):
      raise ValueError(
        f'The observation of {agent_id!r} is {inner!r}: it must be a dict, '
        "such as {'world': ...}, to be extended."
      )
    taken = sorted(set(added) & set(inner))
    if taken:
      raise ValueError(
        f'The observation of {agent_id!r} has {taken[0]!r} already: wrap the '
        'environment only once.'
      )
