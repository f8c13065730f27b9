"""How a population acts, as pure functions over a batch of environments.

One record serves an actor that plays one environment step by step and a
rollout that scans many environments inside of one compiled call.

Time, for every step t:

  act(o_t):                    pi(. | s_t) -> a_t
  observe(o_t, a_t, o_{t+1}):  everyone's a_t is known: recurrent states go on,
                               and what the influence of a_t is judged by
  influence(t, t + 1):         c_t, once all that it takes is known

Letters: N agents, B environments.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import types


class Decision(NamedTuple):
  """What the population decides at one step; arrays [N, B, ...].

  Attributes:
    actions: int32 [N, B]; or a dict of such, 'action' and 'message'.
    extras: what a row of the replay holds about it, by name.
    memory: what `observe` goes on from.
  """

  actions: Any
  extras: dict[str, chex.Array]
  memory: Any


class Judged(NamedTuple):
  """A step as its influence is judged; arrays [N, ...], any batch axes.

  Attributes:
    actions: int32 [N, ...], or a dict of such.
    inputs: as `observe` gave them.
  """

  actions: Any
  inputs: Any


class JointPolicy(NamedTuple):
  """A population's pure functions; parameters are stacked, [N, ...].

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    initial_state: (B) -> recurrent states before an episode, [N, B, ...].
    act: (params, observation [N, B, ...], states, keys [N, B, 2]) -> Decision.
    observe: (params, observation, states, Decision, next observation, is_last
      bool [B]) -> (next states, what influence is judged by, [N, B, ...]).
    influence: (Judged step, Judged following step or None) -> float32 [N, ...],
      nats.
    delay: 1 if `influence` needs the following step, else 0.
    at_end: (Judged step) -> float32 [N, ...], nats, of an episode's last step,
      where the delay is 1. None if it has no influence.
    shape: (rewards of a step, smoothed rewards before it) -> (shaped rewards,
      smoothed rewards after it), float32 [N, ...] each; smoothed rewards are
      zeros before an episode. None if rewards are left as they are.
  """

  agent_ids: tuple[types.AgentId, ...]
  initial_state: Callable[[int], chex.ArrayTree]
  act: Callable[..., Decision]
  observe: Callable[..., tuple[chex.ArrayTree, Any]]
  influence: Callable[[Judged, Judged | None], chex.Array]
  delay: int
  at_end: Callable[[Judged], chex.Array] | None = None
  shape: (
    Callable[[chex.Array, chex.Array], tuple[chex.Array, chex.Array]] | None
  ) = None


def actions_of(choices: Any) -> Any:
  """Returns the actions alone of all that was chosen, messages or not."""
  return choices['action'] if isinstance(choices, Mapping) else choices


def agent_keys(keys: chex.PRNGKey, num_agents: int) -> chex.PRNGKey:
  """Returns every agent's own key of a step, uint32 [N, B, 2].

  Args:
    keys: uint32 [B, 2], of the environments and the step.
    num_agents: N; agent i gets fold_in(key, i).
  """
  fold_in = jax.vmap(jax.random.fold_in, in_axes=(0, None))
  return jax.vmap(fold_in, in_axes=(None, 0))(keys, jnp.arange(num_agents))


def sample(keys: chex.PRNGKey, logits: chex.Array) -> jax.Array:
  """Returns everyone's choices, int32 [N, B].

  Args:
    keys: uint32 [N, B, 2].
    logits: float32 [N, B, K].
  """
  choices = jax.vmap(jax.vmap(jax.random.categorical))(keys, logits)
  return choices.astype(jnp.int32)
