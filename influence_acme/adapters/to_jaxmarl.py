"""Adapts functional environments to JaxMARL's API."""

import dataclasses
from typing import Any

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments import base

Dict = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Discrete:
  """Holds the actions 0 to n - 1, as JaxMARL's space of that name.

  Attributes:
    n: number of actions.
    shape: of an action.
    dtype: of an action.
  """

  n: int
  shape: tuple[int, ...] = ()
  dtype: Any = jnp.int32

  def sample(self, key: chex.PRNGKey) -> jax.Array:
    """Samples an action."""
    return jax.random.randint(key, self.shape, 0, self.n, self.dtype)

  def contains(self, x: chex.Array) -> jax.Array:
    """Returns bool []: the value is an action."""
    return jnp.logical_and(x >= 0, x < self.n)


@dataclasses.dataclass(frozen=True)
class Box:
  """Holds arrays between two bounds, as JaxMARL's space of that name.

  Attributes:
    low: least number.
    high: greatest number.
    shape: of the arrays.
    dtype: of the arrays.
  """

  low: float
  high: float
  shape: tuple[int, ...]
  dtype: Any

  def contains(self, x: chex.Array) -> jax.Array:
    """Returns bool []: the array lies between the bounds."""
    return jnp.logical_and(jnp.all(x >= self.low), jnp.all(x <= self.high))


class MultiAgentEnv:
  """Plays a functional environment through JaxMARL's API.

  All randomness of an episode comes from the key given to `reset`, and that of
  the next one from the key of the step which ends it; other steps' keys are not
  read. An episode's last step is done for all agents. Its discount, 0 if the
  game ended and 1 if its time was over, is in the infos, float32 [N].
  """

  def __init__(self, environment: base.FunctionalEnvironment):
    """Initialises the environment.

    Args:
      environment: one of this library's, or of one's own.
    """
    self._environment = environment
    self.agents = list(environment.agent_ids)
    self.num_agents = environment.num_agents
    dtype = np.dtype(environment.observation_dtype)
    low, high = (0.0, 255.0) if dtype == np.uint8 else (-np.inf, np.inf)
    box = Box(low, high, tuple(environment.observation_shape), dtype)
    self.observation_spaces = dict.fromkeys(self.agents, box)
    self.action_spaces = dict.fromkeys(
      self.agents, Discrete(environment.num_actions)
    )

  @property
  def name(self) -> str:
    """The environment's name."""
    return type(self._environment).__name__

  def observation_space(self, agent: str) -> Box:
    """Returns the space of an agent's observations."""
    return self.observation_spaces[agent]

  def action_space(self, agent: str) -> Discrete:
    """Returns the space of an agent's actions."""
    return self.action_spaces[agent]

  def get_avail_actions(self, state: Any) -> Dict:
    """Returns bool [A] by agent: all actions are always available."""
    del state
    available = jnp.ones(self._environment.num_actions, bool)
    return dict.fromkeys(self.agents, available)

  def reset(self, key: chex.PRNGKey) -> tuple[Dict, Any]:
    """Starts an episode; returns observations by agent, and the state."""
    state, step = self._environment.reset(key)
    return self._by_agent(step.observation), state

  def step(
    self, key: chex.PRNGKey, state: Any, actions: Dict
  ) -> tuple[Dict, Any, Dict, Dict, Dict]:
    """Plays one step of all agents; after an episode's last one, resets.

    Args:
      key: of the next episode, if the step ends this one.
      state: as returned by `reset` or `step`.
      actions: int [] by agent.

    Returns:
      Observations by agent and the state, of the next episode if this one has
      ended; rewards, done flags (and '__all__') and infos of the step.
    """
    played = self.step_env(key, state, actions)
    dones = played[3]
    after = jax.tree_util.tree_map(
      lambda new, old: jnp.where(dones['__all__'], new, old),
      self.reset(key),
      played[:2],
    )
    return (*after, *played[2:])

  def step_env(
    self, key: chex.PRNGKey, state: Any, actions: Dict
  ) -> tuple[Dict, Any, Dict, Dict, Dict]:
    """Plays one step of all agents as `step`, and stays at an episode's end.

    The key is not read.
    """
    del key
    joint = jnp.stack([jnp.asarray(actions[a], jnp.int32) for a in self.agents])
    state, step = self._environment.step(state, joint)
    is_last = step.step_type == dm_env.StepType.LAST
    return (
      self._by_agent(step.observation),
      state,
      self._by_agent(step.reward),
      dict.fromkeys([*self.agents, '__all__'], is_last),
      {'discount': jnp.broadcast_to(step.discount, self.num_agents)},
    )

  def _by_agent(self, x: chex.Array) -> Dict:
    """Returns an array [N, ...] as a dict."""
    return dict(zip(self.agents, x, strict=True))
