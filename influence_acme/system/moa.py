"""Computes influence by a model of other agents (MOA), which each agent learns.

  observe(o_t, a_t, o_{t+1}):  MOA(a_t, s_t; u_t) -> logits of the others'
                               actions at t + 1, for each own action

Influence counts on agents in view, unless the step is an episode's last one,
since no agent acts after it.

Letters: N agents, B environments, U hidden units.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import types
from influence_acme.system import experiment as experiment_lib
from influence_acme.system import types as system_types


def _observe(
  agent: Any,
  members: np.ndarray,
  params: chex.ArrayTree,
  observation: Any,
  moa_state: Any,
  act_output: system_types.ActOutput,
  next_observation: Any,
  is_last: chex.Array,
) -> tuple[Any, system_types.InfluenceInputs]:
  """Runs the MOA's step, now that everyone's actions are known.

  Args:
    agent: one agent's functions.
    members: bool [N], agents with a model that they train.
    params: stacked, [N, ...].
    observation: stacked, [N, B, ...], with 'visible'.
    moa_state: float32 [N, B, U] each, before the step.
    act_output: of the step.
    next_observation: stacked, [N, B, ...]; its 'actions' are those of this
      step, as each agent observed them.
    is_last: bool [B], True if the next observation ends an episode.

  Returns:
    The MOAs' next states, and the influence inputs.
  """
  logits = act_output.extras['logits']
  num_agents = len(logits)
  conditional_logits, moa_state = jax.vmap(agent.counterfactuals)(
    params,
    act_output.carry.moa_features,
    next_observation['actions'],
    moa_state,
    jnp.arange(num_agents),
  )
  others = types.others_of_all(num_agents)
  visible = jnp.take_along_axis(
    observation['visible'], others[:, None], axis=-1
  )
  return moa_state, {
    'conditional_logits': conditional_logits,
    'policy_logits': logits,
    'mask': visible & ~is_last[:, None] & members[:, None, None],
  }


EXPERIMENT = experiment_lib.Experiment(
  choice='action',
  counterfactual_delay=0,
  reply_delay=1,
  reads=('actions',),
  observe=_observe,
)
