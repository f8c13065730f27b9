"""Agents that say something beside what they do, heard by all in the next step.

  act(o_t):      pi(. | s_t, m_{t-1}) -> a_t, and pi_m(. | s_t, m_{t-1}) -> m_t
  act(o_{t+1}):  the same, and what each listener's policy would be, had each
                 other agent said anything else at t

So the influence of a symbol shows one step late, and is judged by the own
policies of those who heard it, with their recurrent states from before step
t + 1 and all else in o_{t+1} as it was. Everyone hears everyone, in view or
not. After the last step of an episode nobody acts: the symbol of that step has
no influence.

Letters: N agents, J = N - 1 others, A actions, M symbols, B environments, U
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
    answers: float32 [N, B, J, M, A], each listener's policy for each symbol
      that each other agent might have said in the step before.
  """

  policy_state: hk.LSTMState
  answers: chex.Array


def what_is_heard(takes_part: np.ndarray, messages: chex.Array) -> chex.Array:
  """Returns what is to be heard of what was said.

  Args:
    takes_part: bool [N], who speaks; or [] for all or none.
    messages: int32 [..., N].

  Returns:
    int32 [..., N]; -1 of who is silent.
  """
  return messages if takes_part.all() else jnp.where(takes_part, messages, -1)


def act(
  agent: networks_lib.AgentNetworks,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  core_state: networks_lib.CoreState,
  keys: chex.PRNGKey,
) -> policy.Decision:
  """Samples everyone's actions and messages.

  Args:
    agent: one agent's functions.
    takes_part: bool [N], who speaks and hears, see `mixed`.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...].
    core_state: float32 [N, B, U] each, before the step.
    keys: uint32 [N, B, 2].

  Returns:
    The decision: 'action' and 'message', int32 [N, B] each; the symbol of who
    is silent is 0, and nobody hears it. Its extras are the behaviour policies,
    'logits' float32 [N, B, A] and 'message_logits' [N, B, M].
  """
  assert agent.step_and_answers is not None  # As the variant speaks.
  messages = what_is_heard(takes_part, observation['messages'])
  output, policy_state, answers = jax.vmap(agent.step_and_answers)(
    params,
    mixed.known(
      takes_part[:, None, None], dict(observation, messages=messages)
    ),
    core_state.policy,
    judging.others_of_all(keys.shape[0]),
  )
  assert output.message is not None
  message_logits = output.message.logits
  keys = jax.vmap(jax.vmap(jax.random.split))(keys)  # [N, B, 2, 2]
  symbols = policy.sample(keys[:, :, 1], message_logits)
  return policy.Decision(
    {
      'action': policy.sample(keys[:, :, 0], output.logits),
      'message': mixed.select(takes_part, symbols, 0),
    },
    {'logits': output.logits, 'message_logits': message_logits},
    Memory(policy_state, answers),
  )


def observe(
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
    takes_part: bool [N]; others neither influence nor are influenced.
    params: not needed, as all that follows but the decision.
    observation: see above.
    core_state: see above.
    decision: of the step.
    next_observation: see above.
    is_last: see above.

  Returns:
    The states, and the inputs: the answers are to the symbols of the step
    before, the policies those of this step's symbols.
  """
  del params, observation, core_state, next_observation, is_last
  logits = decision.extras['message_logits']
  num_agents, batch_size = logits.shape[:2]
  answers, is_answered = judging.by_source(
    decision.memory.answers,
    np.arange(num_agents),
    judging.others_of_all(num_agents),
  )
  inputs = {
    'conditional_logits': answers,
    'policy_logits': logits,
    'mask': jnp.broadcast_to(
      (is_answered & mixed.pairs(takes_part))[:, None],
      (num_agents, batch_size, num_agents - 1),
    ),
  }
  return networks_lib.CoreState(decision.memory.policy_state, ()), inputs
