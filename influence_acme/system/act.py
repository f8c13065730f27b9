"""Samples actions and messages: all agents at once, or the influencers first.

  act(o_t):  pi(. | s_t) -> a_t, and for agents that speak pi_m(. | s_t) -> m_t

and, in the same step, the policy's logits under each counterfactual action or
message of the agents it observes: see `basic` and `communication`.

Letters: N agents, of which the first I act first and the other L = N - I then;
J = N - 1 others, A actions, M symbols, B environments, F features, U hidden
units.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme import types
from influence_acme.system import masks
from influence_acme.system import types as system_types


class ActCarry(NamedTuple):
  """Holds the arrays of `act` that `observe` needs.

  Attributes:
    policy_state: after the step, float32 [N, B, U] each.
    moa_features: float32 [N, B, F]; None without a MOA.
    counterfactual_logits: by the counterfactual choice:
      'influencers' float32 [L, B, I, A, A], of agents that act after them;
      'messages' float32 [N, B, J, M, A].
  """

  policy_state: hk.LSTMState
  moa_features: chex.Array | None
  counterfactual_logits: dict[str, chex.Array]


class _Inputs(NamedTuple):
  """Holds the inputs of agents; leaves [N, ...], or sliced for some of them."""

  params: chex.ArrayTree
  observation: networks_lib.Observation
  policy_state: hk.LSTMState
  keys: chex.PRNGKey
  speakers: np.ndarray
  readers: Mapping[str, np.ndarray]
  counterfactuals: dict[str, np.ndarray]


def act(
  agent: networks_lib.AgentNetworks,
  speakers: np.ndarray,
  readers: Mapping[str, np.ndarray],
  num_influencers: int,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
  greedy: bool = False,
) -> system_types.ActOutput:
  """Samples everyone's actions, and messages.

  Args:
    agent: one agent's functions.
    speakers: bool [N], agents that speak.
    readers: entry of the observation -> bool [N], agents that read it.
    num_influencers: I; 0 if all act at once.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].
    greedy: whether to take the most probable choices instead of samples.

  Returns:
    Actions int32 [N, B]; or, if agents speak, 'action' and 'message', such
    arrays: the symbol of an agent that does not speak is 0, and no agent
    observes it. The extras are the behaviour logits, 'logits' float32 [N, B,
    A], and 'message_logits' [N, B, M] if agents speak.
  """
  num_agents = keys.shape[0]
  observation = dict(observation)
  counterfactuals: dict[str, np.ndarray] = {}
  if speakers.any():
    observation['messages'] = masks.mask_messages(
      speakers, observation['messages']
    )
    counterfactuals['messages'] = types.others_of_all(num_agents)
  everyone = _Inputs(
    params,
    observation,
    core_state.policy,
    keys,
    speakers,
    readers,
    counterfactuals,
  )
  if not num_influencers:
    return _act_of_some(agent, everyone, slice(None), 0, None, greedy)
  return _act_in_turn(agent, everyone, num_influencers, greedy)


def _act_in_turn(
  agent: networks_lib.AgentNetworks,
  everyone: _Inputs,
  num_influencers: int,
  greedy: bool,
) -> system_types.ActOutput:
  """Runs the step of the influencers, then that of those who observe them."""
  first = _act_of_some(
    agent, everyone, slice(num_influencers), num_influencers, None, greedy
  )
  then = _act_of_some(
    agent,
    everyone,
    slice(num_influencers, None),
    num_influencers,
    system_types.actions_of(first.actions).T,
    greedy,
  )
  of_influencees = then.carry.counterfactual_logits.pop('influencers')
  both = jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x, y]), first, then
  )
  both.carry.counterfactual_logits['influencers'] = of_influencees
  return both


def _act_of_some(
  agent: networks_lib.AgentNetworks,
  everyone: _Inputs,
  agents: slice,
  num_influencers: int,
  influencers: chex.Array | None,
  greedy: bool,
) -> system_types.ActOutput:
  """Runs the step of some agents.

  Args:
    agent: one agent's functions.
    everyone: inputs of all agents.
    agents: the agents to run.
    num_influencers: I; 0 if all act at once.
    influencers: int32 [B, I], actions of the influencers in this step; None
      before they have acted.
    greedy: whether to take the most probable choices.
  """
  own = jax.tree_util.tree_map(lambda x: x[agents], everyone)
  observation, counterfactuals = dict(own.observation), own.counterfactuals
  axes: dict[str, int | None] = dict.fromkeys(counterfactuals, 0)
  if num_influencers:
    shape = (*own.keys.shape[:2], num_influencers)
    observation['influencers'] = jnp.broadcast_to(
      masks.NONE if influencers is None else influencers, shape
    )
  if influencers is not None:
    counterfactuals['influencers'] = np.arange(num_influencers)
    axes['influencers'] = None
  readers = {k: x[:, None, None] for k, x in own.readers.items()}
  inputs = (
    own.params,
    masks.mask_observation(observation, readers),
    own.policy_state,
  )
  logits: dict[str, chex.Array] = {}
  if counterfactuals:
    step = agent.step_and_counterfactuals
    assert step is not None  # As some speak, or act first.
    output, state, logits = jax.vmap(step, in_axes=(0, 0, 0, axes))(
      *inputs, counterfactuals
    )
  else:
    output, state = jax.vmap(agent.step)(*inputs)
  carry = ActCarry(state, output.moa_features, logits)
  choices = choose(output, own.speakers, own.keys, greedy)
  return system_types.ActOutput(*choices, carry)


def choose(
  output: networks_lib.StepOutput,
  speakers: np.ndarray,
  keys: chex.PRNGKey,
  greedy: bool,
) -> tuple[Any, dict[str, chex.Array]]:
  """Samples from the policies of a step, or takes their modes.

  Args:
    output: of L agents' networks, [L, B, ...].
    speakers: bool [L], agents that speak.
    keys: uint32 [L, B, 2].
    greedy: whether to take the most probable choices.

  Returns:
    Actions and extras, as `act` returns them.
  """
  if output.message is None:
    actions = system_types.choose(keys, output.logits, greedy)
    return actions, {'logits': output.logits}
  keys = jax.vmap(jax.vmap(jax.random.split))(keys)  # [L, B, 2, 2]
  symbols = system_types.choose(keys[:, :, 1], output.message.logits, greedy)
  choices = {
    'action': system_types.choose(keys[:, :, 0], output.logits, greedy),
    'message': masks.select(speakers, symbols, 0),
  }
  return choices, {
    'logits': output.logits,
    'message_logits': output.message.logits,
  }
