"""Influencers act first, and those after them see what they do.

  act(o_t):  pi(. | s_t) -> a_t of the influencers
             pi(. | s_t, a_t of the influencers) -> a_t of the influencees, and
             what their policies would be, had each influencer acted otherwise

So influence shows within the step that causes it, and is judged by the
influencees' own policies, with their recurrent states from before the step and
the other influencers' actions as they were taken (the paper's Eq. 1 and 3). It
counts in view and out of it, and in the last step of an episode too.

Letters: N agents, of whom the first I are influencers and the other L = N - I
are influencees; A actions, K counterfactual actions (K = A), B environments, U
hidden units.
"""

from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.agents.influence import judging, mixed
from influence_acme.multiagent import policy


class Memory(NamedTuple):
  """What `observe` goes on from.

  Attributes:
    policy_state: after the step, float32 [N, B, U] each.
    answers: float32 [L, B, I, K, A], the influencees' policies for each action
      of each influencer.
  """

  policy_state: hk.LSTMState
  answers: chex.Array


def what_is_seen(
  own_index: chex.Numeric, actions: chex.Array, num_influencers: int
) -> chex.Array:
  """Returns what an agent sees of the influencers before it acts.

  Args:
    own_index: int [], which agent this one is.
    actions: int32 [..., N], what everyone does in the step. In a row that is no
      step these are zeros, an action like others, so that the value there,
      which bootstraps, is of inputs that the network knows.
    num_influencers: I.

  Returns:
    int32 [..., I]; -1 for an influencer, which sees nothing of it.
  """
  is_influencer = own_index < num_influencers
  return jnp.where(is_influencer, -1, actions[..., :num_influencers])


def act(
  agent: networks_lib.AgentNetworks,
  num_influencers: int,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
) -> policy.Decision:
  """Samples the influencers' actions, and then those of the others.

  Args:
    agent: one agent's functions.
    num_influencers: I.
    takes_part: bool [N], who sees what others do, see `mixed`.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].

  Returns:
    The decision; its extras are the behaviour policies, 'logits' float32
    [N, B, A].
  """
  assert agent.step_and_answers is not None  # As the variant takes turns.
  batch_size = keys.shape[1]

  def part(agents: slice, influencers_actions: chex.Array):
    """Returns what some of the agents choose by, and their keys."""
    parts = jax.tree_util.tree_map(
      lambda x: x[agents], (params, dict(observation), core_state.policy, keys)
    )
    seen = jnp.broadcast_to(
      influencers_actions, (len(parts[-1]), batch_size, num_influencers)
    )
    known = mixed.known(
      takes_part[agents, None, None], dict(parts[1], influencers=seen)
    )
    return (parts[0], known, parts[2]), parts[3]

  inputs, own_keys = part(slice(num_influencers), jnp.int32(-1))
  output, state = jax.vmap(agent.step)(*inputs)
  actions = policy.sample(own_keys, output.logits)  # [I, B]
  first = actions, output.logits, state

  inputs, own_keys = part(slice(num_influencers, None), actions.T)
  output, state, answers = jax.vmap(
    agent.step_and_answers, in_axes=(0, 0, 0, None)
  )(*inputs, np.arange(num_influencers))
  then = policy.sample(own_keys, output.logits), output.logits, state

  actions, logits, policy_state = jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x, y]), first, then
  )
  return policy.Decision(
    actions, {'logits': logits}, Memory(policy_state, answers)
  )


def observe(
  num_influencers: int,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  decision: policy.Decision,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[networks_lib.CoreState, judging.Inputs]:
  """Returns the next states, and what influence is judged by.

  Args:
    num_influencers: I.
    takes_part: bool [N]; others neither influence nor are influenced.
    params: not needed, as all that follows but the decision.
    observation: see above.
    core_state: see above.
    decision: of the step.
    next_observation: see above.
    is_last: see above; who acted last in an episode was influenced as ever.
  """
  del params, observation, core_state, next_observation, is_last
  num_agents, batch_size = decision.actions.shape
  influencers = np.arange(num_influencers)
  influencees = np.arange(num_influencers, num_agents)
  answers, is_answered = judging.by_source(
    decision.memory.answers,
    influencees,
    np.broadcast_to(influencers, (len(influencees), num_influencers)),
  )
  inputs = {
    'conditional_logits': answers,
    'policy_logits': decision.extras['logits'],
    'mask': jnp.broadcast_to(
      (is_answered & mixed.pairs(takes_part))[:, None],
      (num_agents, batch_size, num_agents - 1),
    ),
  }
  return networks_lib.CoreState(decision.memory.policy_state, ()), inputs
