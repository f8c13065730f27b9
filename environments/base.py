"""Defines environments as immutable records of pure functions.

Letters: N agents, H x W x C the height, width and channels of an agent's view,
D the length of a vector.
"""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from numpy import typing as npt

from influence_acme import types

# What `is_observation` accepts, in words.
OBSERVATIONS = 'uint8 [H, W, C], pixels, or float32 [D], a vector'


def is_observation(shape: Sequence[int], dtype: npt.DTypeLike) -> bool:
  """Returns True if agents can observe arrays of this shape and dtype."""
  kinds = {3: np.uint8, 1: np.float32}
  return len(shape) in kinds and np.dtype(dtype) == kinds[len(shape)]


class Step(NamedTuple):
  """Holds the output of one step.

  Attributes:
    observation: of each agent, uint8 [N, H, W, C] or float32 [N, D].
    reward: float32 [N]; 0 on the first step of an episode.
    discount: float32 []; 1 on the first step, and on the last step of an
      episode that a time limit ends.
    step_type: int32 [], of dm_env's values.
  """

  observation: chex.Array
  reward: chex.Array
  discount: chex.Array
  step_type: chex.Array


def check_step(environment: 'FunctionalEnvironment', step: Step) -> Step:
  """Checks shapes and dtypes of a step; of JAX's tracers, when it compiles.

  Args:
    environment: of the step.
    step: of one copy of it.

  Raises:
    ValueError: an array is not of the shape and dtype that `Step` states.
  """
  agents = (environment.num_agents,)
  expected = (
    (
      agents + tuple(environment.observation_shape),
      environment.observation_dtype,
    ),
    (agents, np.float32),
    ((), np.float32),
    ((), np.int32),
  )
  for name, value, (shape, dtype) in zip(
    Step._fields, step, expected, strict=True
  ):
    found = jnp.asarray(value)
    if found.shape != shape or found.dtype != dtype:
      raise ValueError(
        f'{name} of {type(environment).__name__} is {found.dtype}'
        f'{list(found.shape)}: it must be {np.dtype(dtype)}{list(shape)}.'
      )
  return step


class FunctionalEnvironment(abc.ABC):
  """Defines an environment by pure functions: jittable, without hidden state.

  All randomness comes from the state (and so from the key given to `reset`).
  Subclasses are frozen dataclasses whose fields are the overrides; equal ones
  share their compiled functions. `testing.conformance` checks all of this.
  """

  num_agents: int

  @property
  def agent_ids(self) -> tuple[str, ...]:
    """The agents' names, in the order of every axis N."""
    return types.agent_ids(self.num_agents)

  @property
  @abc.abstractmethod
  def num_actions(self) -> int:
    """Number of actions of each agent."""

  @property
  def action_names(self) -> tuple[str, ...]:
    """Names of the actions for display, `num_actions` of them."""
    return tuple(f'action {i}' for i in range(self.num_actions))

  @property
  @abc.abstractmethod
  def observation_shape(self) -> tuple[int, ...]:
    """Shape of one agent's observation, [H, W, C] or [D]."""

  @property
  def observation_dtype(self) -> npt.DTypeLike:
    """Dtype of observations: uint8 for pixels, float32 for a vector."""
    return np.uint8

  @abc.abstractmethod
  def reset(self, key: jax.Array) -> tuple[Any, Step]:
    """Starts an episode.

    Args:
      key: a JAX random key.

    Returns:
      The state, a pytree of arrays whose shapes and dtypes never change, and
      the first step.
    """

  @abc.abstractmethod
  def step(self, state: Any, actions: chex.Array) -> tuple[Any, Step]:
    """Plays one step of all agents; a finished episode starts the next one.

    Args:
      state: as returned by `reset` or `step`.
      actions: int32 [N], each in [0, num_actions).

    Returns:
      The next state and the output of the step.
    """

  @abc.abstractmethod
  def visible(self, state: Any) -> chex.Array:
    """Returns bool [N, N]: row agent sees column agent; diagonal False."""

  def events(self, state: Any) -> dict[str, chex.Array]:
    """Returns counts of the episode's events so far, for logs.

    After an episode's last step they cover the whole episode; the step that
    starts the next one resets them.

    Args:
      state: as returned by `reset` or `step`.

    Returns:
      Name -> int32 [N], each agent's count since the episode began; or int32
      [], a property of the current state. Grid worlds in which agents fine each
      other have 'fined', the number of steps in which each agent was hit, from
      which peace is computed. Empty by default.
    """
    del state
    return {}

  @abc.abstractmethod
  def render(self, state: Any) -> np.ndarray:
    """Returns a picture of the whole state for display, uint8 [H', W', 3]."""
