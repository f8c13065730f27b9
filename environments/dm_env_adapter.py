"""Adapts a functional environment to dm_env, with dicts keyed by agent."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import dm_env
import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from influence_acme import checks
from influence_acme.environments import actions as actions_lib
from influence_acme.environments import base
from influence_acme.wrappers import timesteps


class _Compiled(NamedTuple):
  """Holds the compiled functions of an environment.

  Both return the environment's state and (Step, visible), so that one call and
  one transfer to the host give the whole output of a step.
  """

  reset: Callable[[np.ndarray, np.uint32], tuple[Any, Any]]
  step: Callable[[Any, np.ndarray], tuple[Any, Any]]


@functools.lru_cache(maxsize=32)
def _compile(functional: base.FunctionalEnvironment) -> _Compiled:
  """Compiles an environment's functions, once for all equal environments."""

  def reset(key: jax.Array, episode: jax.Array) -> tuple[Any, Any]:
    state, step = functional.reset(jax.random.fold_in(key, episode))
    return state, (base.check_step(functional, step), functional.visible(state))

  def step(state: Any, actions: jax.Array) -> tuple[Any, Any]:
    state, step = functional.step(state, actions)
    return state, (base.check_step(functional, step), functional.visible(state))

  return _Compiled(jax.jit(reset), jax.jit(step))


class MultiAgentEnvironment(dm_env.Environment):
  """Adapts the pure functions of an environment to a multi-agent dm_env.

  Specs, observations, rewards and actions are dicts keyed by agent id, in the
  order of `agent_ids`; the discount is one scalar. An observation is a dict:
  'world', of the environment's shape and dtype.

  Episode e (0, 1, ...) draws all its randomness from fold_in(seed, e), whatever
  the episodes before it, and wherever they were cut off.
  """

  def __init__(self, functional: base.FunctionalEnvironment, seed: int = 0):
    """Initialises the environment; nothing is compiled before `reset`.

    Args:
      functional: the environment's pure functions; hashable.
      seed: of all randomness, in [0, 2**32).

    Raises:
      ValueError: the seed is out of range.
    """
    checks.integer('seed', seed, 0, 2**32 - 1)
    self._functional = functional
    self._agent_ids = functional.agent_ids
    self._num_actions = functional.num_actions
    self._compiled = _compile(functional)
    self._key = np.asarray(jax.random.PRNGKey(seed))
    self._episode = 0  # The number of the next episode.
    self._state: Any = None  # None before the first reset.
    self._visible: np.ndarray | None = None
    self._reset_next_step = True
    # Made when it is needed: subclasses may have other specs.
    self._check: timesteps.TimestepCheck | None = None

  @property
  def functional(self) -> base.FunctionalEnvironment:
    """The environment's pure functions."""
    return self._functional

  @property
  def agent_ids(self) -> tuple[str, ...]:
    """The agents' names, in order."""
    return self._agent_ids

  @property
  def action_names(self) -> tuple[str, ...]:
    """Names of the actions for display, in order."""
    return self._functional.action_names

  def reset(self) -> dm_env.TimeStep:
    """Starts the next episode, also in the middle of one.

    Returns:
      The FIRST time step; its reward and discount are None.
    """
    self._state, output = self._compiled.reset(
      self._key, np.uint32(self._episode)
    )
    self._episode += 1
    return self._timestep(output)

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents.

    Args:
      action: agent id -> integer in [0, num_actions), for every agent. Ignored
        before the first `reset` and after a LAST time step: both start an
        episode.

    Returns:
      The next time step: rewards are float32 scalars by agent id.

    Raises:
      ValueError: an action is missing, unknown, no integer or out of range;
        the episode goes on as if the call had not been made.
    """
    if self._reset_next_step:
      return self.reset()
    joint = actions_lib.joint_action(action, self._agent_ids, self._num_actions)
    self._state, output = self._compiled.step(self._state, joint)
    return self._timestep(output)

  def action_spec(self) -> dict[str, specs.DiscreteArray]:
    """Returns int32 in [0, num_actions) for each agent."""
    return {
      agent_id: specs.DiscreteArray(self._num_actions, np.int32, name='action')
      for agent_id in self._agent_ids
    }

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns {'world': uint8 [H, W, C] or float32 [D]} for each agent."""
    shape = self._functional.observation_shape
    dtype = self._functional.observation_dtype
    return {
      agent_id: {'world': specs.Array(shape, dtype, name='world')}
      for agent_id in self._agent_ids
    }

  def reward_spec(self) -> dict[str, specs.Array]:
    """Returns a float32 scalar for each agent."""
    return {
      agent_id: specs.Array((), np.float32, name='reward')
      for agent_id in self._agent_ids
    }

  def discount_spec(self) -> specs.BoundedArray:
    """Returns a float32 scalar in [0, 1], the same for all agents."""
    return specs.BoundedArray((), np.float32, 0.0, 1.0, name='discount')

  def visible(self) -> np.ndarray:
    """Returns the agents that each agent has in view at the current step.

    Returns:
      bool [N, N]: the row's agent has the column's agent in view; the diagonal
      is False.

    Raises:
      RuntimeError: no episode has been started.
    """
    self._check_started()
    return np.array(self._visible)

  def events(self) -> dict[str, np.ndarray]:
    """Returns counts of the episode's events so far.

    Returns:
      Name -> int32 [N], each agent's count; or int32 [], a property of the
      current state. The environment's card lists the names.

    Raises:
      RuntimeError: no episode has been started.
    """
    self._check_started()
    return jax.device_get(self._functional.events(self._state))

  def render(self) -> np.ndarray:
    """Returns a picture of the current state, uint8 [H', W', 3].

    Raises:
      RuntimeError: no episode has been started.
    """
    self._check_started()
    return np.asarray(self._functional.render(self._state))

  def save(self) -> dict[str, Any]:
    """Returns the state that the rest of the run depends on, as NumPy."""
    return {
      'key': self._key.copy(),
      'episode': np.asarray(self._episode, np.int64),
      'state': jax.tree_util.tree_map(np.array, self._state),
      'visible': jax.tree_util.tree_map(np.array, self._visible),
      'reset_next_step': np.asarray(self._reset_next_step),
    }

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a saved state exactly, in this or in another process.

    Args:
      state: as returned by `save` of an equal environment, of any seed.

    Raises:
      ValueError: the state is that of a different environment.
    """
    saved = state['state']
    if saved is not None:
      expected, _ = jax.eval_shape(
        self._compiled.reset, self._key, np.uint32(0)
      )
      if _layout(saved) != _layout(expected):
        raise ValueError(
          'The saved state does not fit this environment: restore it into '
          f'one that equals the one that saved it; this is {self._functional}.'
        )
    self._key = np.array(state['key'])
    self._episode = int(state['episode'])
    self._state = jax.tree_util.tree_map(jnp.array, saved)
    self._visible = jax.tree_util.tree_map(np.array, state['visible'])
    self._reset_next_step = bool(state['reset_next_step'])

  def _timestep(self, output: tuple[base.Step, jax.Array]) -> dm_env.TimeStep:
    """Transfers a step to the host and splits it by agent."""
    step, self._visible = jax.device_get(output)
    step_type = dm_env.StepType(int(step.step_type))
    self._reset_next_step = step_type.last()
    observation = {
      agent_id: {'world': step.observation[i]}
      for i, agent_id in enumerate(self._agent_ids)
    }
    reward = discount = None
    if not step_type.first():
      reward = dict(zip(self._agent_ids, step.reward, strict=True))
      discount = np.float32(step.discount)
    timestep = dm_env.TimeStep(step_type, reward, discount, observation)
    if self._check is None:
      self._check = timesteps.TimestepCheck(self)
    return self._check(timestep)

  def _check_started(self) -> None:
    if self._state is None:
      raise RuntimeError('No episode has been started: call reset() first.')


def _layout(tree: Any) -> tuple[Any, list[Any]]:
  """Returns the structure of a tree, and its leaves' shapes and dtypes."""
  leaves, structure = jax.tree_util.tree_flatten(tree)
  return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
