"""Agents ask their models of others what these would do next.

  observe(o_t, a_t, o_{t+1}):  MOA(a_t, s_t; u_t) -> what would the others do
                               at t + 1, for each own action?

Influence counts on those in view, while somebody acts next.

Letters: N agents, J = N - 1 others, A actions, K own counterfactual actions
(K = A), B environments, U hidden units.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import networks as networks_lib
from influence_acme.system import act, counterfactuals
from influence_acme.system import types as system_types


def observe(
  agent: networks_lib.AgentNetworks,
  takes_part: np.ndarray,
  params: chex.ArrayTree,
  observation: networks_lib.Observation,
  moa_state: hk.LSTMState | tuple[()],
  decision: system_types.Decision,
  next_observation: networks_lib.Observation,
  is_last: chex.Array,
) -> tuple[hk.LSTMState, counterfactuals.Inputs]:
  """The MOA's step: the others' next actions, had each agent acted otherwise.

  Args:
    agent: one agent's functions.
    takes_part: bool [N], who has a model of the others that it learns.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...]: who was in view.
    moa_state: float32 [N, B, U] each, before the step.
    decision: of the step.
    next_observation: stacked, [N, B, ...]: its 'actions' are those of this
      step, as each agent saw them.
    is_last: bool [B], whether nobody acts on it, since it ends an episode.

  Returns:
    The MOAs' next states, and what influence is judged by.
  """
  assert agent.counterfactuals is not None  # As some have a model.
  memory: act.Memory = decision.memory
  logits = decision.extras['logits']
  num_agents = logits.shape[0]
  conditional_logits, moa_state = jax.vmap(agent.counterfactuals)(
    params,
    memory.moa_features,
    next_observation['actions'],
    moa_state,
    jnp.arange(num_agents),
  )
  visible = jnp.take_along_axis(
    observation['visible'],
    counterfactuals.others_of_all(num_agents)[:, None],
    axis=-1,
  )
  return moa_state, {
    'conditional_logits': conditional_logits,
    'policy_logits': logits,
    'mask': visible & ~is_last[:, None] & takes_part[:, None, None],
  }
