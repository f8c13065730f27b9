"""Adapts environments of JaxMARL's API to functional environments.

Letters: N agents, H x W x C the height, width and channels of an agent's view,
D the length of a vector.
"""

import dataclasses
from typing import Any, NamedTuple

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np
from numpy import typing as npt

from influence_acme import types
from influence_acme.adapters import jaxmarl_arrays as arrays
from influence_acme.environments import base

# Functions of JaxMARL's API that are called.
_API = ('reset', 'step_env', 'action_space')
# Screen pixels per number of an observation.
_RENDER_SCALE = 16


class State(NamedTuple):
  """Holds the state of an adapted environment.

  Attributes:
    key: uint32 [2], of all randomness to come.
    environment: JaxMARL's own state.
    observation: of the current step, as in `Step`.
    is_last: bool [], True if the episode has ended.
  """

  key: chex.PRNGKey
  environment: Any
  observation: chex.Array
  is_last: chex.Array


class _Output(NamedTuple):
  """Holds the output of the adapted environment, as arrays of N agents."""

  environment: Any
  observation: chex.Array
  reward: chex.Array
  is_last: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class JaxMARLEnvironment(base.FunctionalEnvironment):
  """Plays an environment of JaxMARL's API as a functional environment.

  The agents keep the order and the names of `environment.agents`. uint8 [H, W,
  C] is observed as it is, as pixels; all else, dicts too, becomes one vector,
  float32 [D], of all its numbers. An episode ends where `done['__all__']` is
  True; its last observation is its own, not that of the episode after it. All
  agents count as in view of each other.

  Attributes:
    environment: has `agents`, `reset`, `step_env` and `action_space`. All
      agents have the same number of discrete actions, and observations of one
      shape.
    last_discount: discount of an episode's last step, which JaxMARL does not
      tell: 0 if the end is one of the game, as JaxMARL's own algorithms take
      it; 1 if it is a time limit.
    num_agents: N, of the environment.
  """

  environment: Any
  last_discount: float = 0.0
  num_agents: int = dataclasses.field(init=False)
  _num_actions: int = dataclasses.field(init=False, repr=False)
  _observation: jax.ShapeDtypeStruct = dataclasses.field(init=False, repr=False)

  def __post_init__(self):
    """Raises ValueError: the environment or the discount is of another kind."""
    missing = [x for x in _API if not hasattr(type(self.environment), x)]
    if missing or not hasattr(self.environment, 'agents'):
      raise ValueError(
        f'environment is {self.environment!r}: it must be an environment of '
        f"JaxMARL's API, without wrappers around it; it has no "
        f'{(missing or ["agents"])[0]!r} of its own.'
      )
    if self.last_discount not in (0, 1):
      raise ValueError(
        f'last_discount is {self.last_discount!r}: it must be 0, or 1 if time '
        'limits end the episodes.'
      )
    types.check_agent_ids(self.agent_ids)
    for name, value in (
      ('num_agents', len(self.environment.agents)),
      ('_num_actions', self._same(self._count_actions, 'actions')),
      ('_observation', self._same(self._shapes().get, 'observations')),
    ):
      object.__setattr__(self, name, value)

  @property
  def agent_ids(self) -> tuple[str, ...]:
    """The agents' names, in the order of every axis N."""
    return tuple(map(str, self.environment.agents))

  @property
  def num_actions(self) -> int:
    """Number of actions of each agent."""
    return self._num_actions

  @property
  def observation_shape(self) -> tuple[int, ...]:
    """Shape of one agent's observation, [H, W, C] or [D]."""
    return self._observation.shape

  @property
  def observation_dtype(self) -> npt.DTypeLike:
    """Dtype of observations: uint8 for pixels, float32 for a vector."""
    return self._observation.dtype

  def reset(self, key: chex.PRNGKey) -> tuple[State, base.Step]:
    """Starts an episode."""
    key, reset_key = jax.random.split(key)
    return self._after(key, self._reset(reset_key), jnp.zeros((), bool))

  def step(self, state: State, actions: chex.Array) -> tuple[State, base.Step]:
    """Plays one step of all agents; a finished episode starts the next one."""
    key, own_key = jax.random.split(state.key)
    output = jax.lax.cond(
      state.is_last,
      lambda: self._reset(own_key),
      lambda: self._play(own_key, state.environment, actions),
    )
    return self._after(key, output, ~state.is_last)

  def visible(self, state: State) -> chex.Array:
    """Returns bool [N, N], True off the diagonal: JaxMARL does not tell it."""
    del state
    return ~jnp.eye(self.num_agents, dtype=bool)

  def render(self, state: State) -> np.ndarray:
    """Returns a picture of what the agents observe, uint8 [H', W', 3].

    JaxMARL's environments have no common way to draw them. Pixels are the first
    agent's; of vectors each agent has a row, dark for -1 and below, bright for
    1 and above.
    """
    picture = np.asarray(state.observation)
    if picture.ndim > 2:
      picture = picture[0].astype(np.uint8)
      picture = picture[..., np.arange(3) % picture.shape[-1]]
    else:
      grey = np.clip(127.5 * (picture + 1), 0, 255).astype(np.uint8)
      picture = np.repeat(grey[..., None], 3, axis=-1)
    return picture.repeat(_RENDER_SCALE, axis=0).repeat(_RENDER_SCALE, axis=1)

  def _count_actions(self, agent: Any) -> int | None:
    """Returns an agent's number of actions; None if they are not discrete."""
    return getattr(self.environment.action_space(agent), 'n', None)

  def _shapes(self) -> dict[Any, jax.ShapeDtypeStruct | None]:
    """Returns the shape and dtype of each agent's observation, by its name."""
    key = jax.eval_shape(jax.random.PRNGKey, 0)
    observations, _ = jax.eval_shape(self.environment.reset, key)
    return {
      agent: jax.eval_shape(arrays.to_observation, observations[agent])
      for agent in self.environment.agents
    }

  def _same(self, get: Any, what: str) -> Any:
    """Returns a value that must be equal, and not None, for all agents."""
    first, *others = self.environment.agents
    value = get(first)
    if value is None:
      raise ValueError(f'The {what} of {first!r} must be discrete.')
    for other in others:
      if get(other) != value:
        raise ValueError(
          f'The {what} of {first!r}, {value}, differ from those of {other!r}, '
          f'{get(other)}: they must be the same for all agents; pad them in a '
          'subclass of the environment.'
        )
    return value

  def _reset(self, key: chex.PRNGKey) -> _Output:
    """Starts an episode of the adapted environment."""
    observations, state = self.environment.reset(key)
    return _Output(
      jax.tree_util.tree_map(arrays.strong, state),
      self._stack(observations),
      jnp.zeros(self.num_agents, jnp.float32),
      jnp.zeros((), bool),
    )

  def _play(
    self, key: chex.PRNGKey, state: Any, actions: chex.Array
  ) -> _Output:
    """Plays one step of the adapted environment, which does not reset it."""
    agents = self.environment.agents
    by_agent = dict(zip(agents, actions, strict=True))
    observations, new, rewards, dones, _ = self.environment.step_env(
      key, state, by_agent
    )
    reward = jnp.stack([jnp.float32(rewards[agent]) for agent in agents])
    return _Output(
      jax.tree_util.tree_map(arrays.keep_dtype, new, state),
      self._stack(observations),
      reward.reshape(self.num_agents),
      jnp.asarray(dones['__all__'], bool).reshape(()),
    )

  def _stack(self, observations: Any) -> chex.Array:
    """Returns everyone's observation, as in `Step`."""
    return jnp.stack(
      [arrays.to_observation(observations[a]) for a in self.environment.agents]
    )

  def _after(
    self, key: chex.PRNGKey, output: _Output, is_played: chex.Array
  ) -> tuple[State, base.Step]:
    """Returns the state, and the output of the step that led to it."""
    kinds = dm_env.StepType
    step_type = jnp.select(
      [~is_played, output.is_last], [kinds.FIRST, kinds.LAST], kinds.MID
    )
    step = base.Step(
      observation=output.observation,
      reward=output.reward,
      discount=jnp.where(output.is_last, self.last_discount, 1.0).astype(
        jnp.float32
      ),
      step_type=step_type.astype(jnp.int32),
    )
    state = State(key, output.environment, output.observation, output.is_last)
    return state, step
