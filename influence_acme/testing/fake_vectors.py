"""An environment of vectors, whose best actions a test knows beforehand."""

import dataclasses
from typing import NamedTuple

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np
from numpy import typing as npt

from influence_acme import checks
from influence_acme.environments import base


class VectorState(NamedTuple):
  """State of an episode of `FakeVectorEnvironment`.

  Attributes:
    key: of all chance to come.
    time: int32 [], how many steps of the episode were played.
    wanted: int32 [N], the action that is rewarded next.
  """

  key: jax.Array
  time: chex.Array
  wanted: chex.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class FakeVectorEnvironment(base.FunctionalEnvironment):
  """Shows each agent an action as a vector, and rewards it for choosing that.

  After t steps of an episode an agent observes float32 [A + 1]: 1 for the
  action wanted of it and -1 for the others, then t. The actions wanted are
  drawn anew in every step.

  Attributes:
    num_agents: N.
    num_actions: A, of each agent.
    episode_length: how many steps make an episode.
  """

  num_agents: int = 2
  num_actions: int = 3
  episode_length: int = 5

  def __post_init__(self):
    """Raises ValueError: a field is no integer of at least 1."""
    checks.count(self, 'num_agents', 'num_actions', 'episode_length')

  @property
  def observation_shape(self) -> tuple[int, ...]:
    """Shape [A + 1] of an observation."""
    return (self.num_actions + 1,)

  @property
  def observation_dtype(self) -> npt.DTypeLike:
    """Dtype float32 of an observation."""
    return np.float32

  def reset(self, key: jax.Array) -> tuple[VectorState, base.Step]:
    """Starts an episode."""
    state = self._draw(key, jnp.zeros((), jnp.int32))
    return state, self._step_at(state, jnp.zeros(self.num_agents))

  def step(
    self, state: VectorState, actions: chex.Array
  ) -> tuple[VectorState, base.Step]:
    """Plays one step; a finished episode starts the next one."""
    finished = state.time >= self.episode_length
    is_right = (actions == state.wanted) & ~finished
    state = self._draw(state.key, jnp.where(finished, 0, state.time + 1))
    return state, self._step_at(state, is_right.astype(jnp.float32))

  def visible(self, state: VectorState) -> chex.Array:
    """Returns True for all pairs: everyone sees everyone else."""
    del state
    return ~jnp.eye(self.num_agents, dtype=bool)

  def render(self, state: VectorState) -> np.ndarray:
    """Returns uint8 [N, A, 3]: the wanted actions are white."""
    wanted = np.eye(self.num_actions, dtype=np.uint8)[np.asarray(state.wanted)]
    return np.repeat(255 * wanted[..., None], 3, axis=-1)

  def _draw(self, key: jax.Array, time: chex.Array) -> VectorState:
    """Returns a state with new wanted actions."""
    key, draw_key = jax.random.split(key)
    wanted = jax.random.randint(
      draw_key, (self.num_agents,), 0, self.num_actions
    )
    return VectorState(key, time, wanted)

  def _step_at(self, state: VectorState, reward: chex.Array) -> base.Step:
    """Returns what the agents get where the episode now stands."""
    wanted = 2 * jax.nn.one_hot(state.wanted, self.num_actions) - 1
    time = jnp.full((self.num_agents, 1), state.time, jnp.float32)
    kinds = dm_env.StepType
    step_type = jnp.select(
      [state.time == 0, state.time == self.episode_length],
      [kinds.FIRST, kinds.LAST],
      kinds.MID,
    )
    return base.Step(
      observation=jnp.concatenate([wanted, time], axis=1),
      reward=reward,
      discount=jnp.ones((), jnp.float32),
      step_type=step_type.astype(jnp.int32),
    )
