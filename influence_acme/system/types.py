"""Defines a population's policy as pure functions over a batch.

The same record is used by an actor that plays one environment step by step and
by a rollout that scans many environments inside of one compiled call.

Time, for every step t:

  act(o_t):                    pi(. | s_t) -> a_t
  observe(o_t, a_t, o_{t+1}):  the next recurrent states, and the inputs of the
                               influence of a_t, from everyone's actions
  influence(t, t + 1):         c_t, once all its inputs are known

Letters: N agents, B environments, J = N - 1 others, K own choices, A actions.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import types

# Inputs of `ops.influence_reward` for all agents of one experiment:
#   'conditional_logits'  float32 [N, ..., K, J, A], of each other agent, for
#                         each choice of each agent
#   'policy_logits'       float32 [N, ..., K], of the policies that chose
#   'mask'                bool [N, ..., J], the others that count
InfluenceInputs = Mapping[str, chex.Array]


class ActOutput(NamedTuple):
  """Holds the output of one step of the population; arrays [N, B, ...].

  Attributes:
    actions: int32 [N, B]; or a dict of such, 'action' and 'message'.
    extras: entries of a replay's row, by name.
    carry: for `observe`.
  """

  actions: Any
  extras: dict[str, chex.Array]
  carry: Any


class InfluenceStep(NamedTuple):
  """Holds a step for `influence`; arrays [N, ...], any batch axes.

  Attributes:
    actions: int32 [N, ...], or a dict of such.
    inputs: of each experiment, by name, as returned by `observe`.
  """

  actions: Any
  inputs: Mapping[str, InfluenceInputs]


class JointPolicy(NamedTuple):
  """Holds a population's pure functions; parameters are stacked, [N, ...].

  Attributes:
    agent_ids: the agents' names, in the order of every axis N.
    initial_state: (B) -> recurrent states before an episode, [N, B, ...].
    act: (params, observation [N, B, ...], states, keys [N, B, 2],
      greedy=False) -> ActOutput.
    observe: (params, observation, states, ActOutput, next observation, is_last
      bool [B]) -> (next states, influence inputs by experiment).
    influence: (InfluenceStep, following InfluenceStep or None) -> float32
      [N, ...], nats.
    delay: 1 if `influence` needs the following step, else 0.
    last_step_influence: (InfluenceStep) -> float32 [N, ...], nats, of an
      episode's last step, if the delay is 1. None if it has no influence.
    shape_reward: (rewards of a step, smoothed rewards before it) -> (shaped
      rewards, smoothed rewards after it), float32 [N, ...] each; smoothed
      rewards are zeros before an episode. None if rewards are not shaped.
  """

  agent_ids: tuple[types.AgentId, ...]
  initial_state: Callable[[int], chex.ArrayTree]
  act: Callable[..., ActOutput]
  observe: Callable[..., tuple[chex.ArrayTree, Any]]
  influence: Callable[[InfluenceStep, InfluenceStep | None], chex.Array]
  delay: int
  last_step_influence: Callable[[InfluenceStep], chex.Array] | None = None
  shape_reward: (
    Callable[[chex.Array, chex.Array], tuple[chex.Array, chex.Array]] | None
  ) = None


def actions_of(choices: Any) -> Any:
  """Returns the actions of all choices, without the messages."""
  return choices['action'] if isinstance(choices, Mapping) else choices


def agent_keys(keys: chex.PRNGKey, num_agents: int) -> chex.PRNGKey:
  """Returns every agent's own key of a step, uint32 [N, B, 2].

  Args:
    keys: uint32 [B, 2], of the environments and the step.
    num_agents: N; agent i gets fold_in(key, i).
  """
  fold_in = jax.vmap(jax.random.fold_in, in_axes=(0, None))
  return jax.vmap(fold_in, in_axes=(None, 0))(keys, jnp.arange(num_agents))


def choose(
  keys: chex.PRNGKey, logits: chex.Array, greedy: bool = False
) -> jax.Array:
  """Samples everyone's choices, int32 [N, B].

  Args:
    keys: uint32 [N, B, 2].
    logits: float32 [N, B, K].
    greedy: whether to take the most probable choices; keys are not read then.
  """
  if greedy:
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)
  choices = jax.vmap(jax.vmap(jax.random.categorical))(keys, logits)
  return choices.astype(jnp.int32)
