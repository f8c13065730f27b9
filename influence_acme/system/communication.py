"""Computes influence of messages, which all agents receive one step later.

  act(o_t):      pi(. | s_t, m_{t-1}) -> a_t, and pi_m(. | s_t, m_{t-1}) -> m_t
  act(o_{t+1}):  the same, and each listener's logits for every symbol that each
                 other agent could have sent at t

So the influence of a symbol is known one step late. It is computed from the
listeners' own policies, with their recurrent states before step t + 1 and an
otherwise unchanged o_{t+1} (the paper's Eq. 2). All agents receive all
messages, in view or not. There are no actions after the last step of an
episode, so that the symbol of that step has no influence.

Letters: N agents.
"""

from typing import Any

import chex
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
  """Arranges the listeners' logits for the symbols of the step before."""
  del agent, params, observation, next_observation, is_last
  message_logits = act_output.extras['message_logits']
  num_agents = len(message_logits)
  inputs = experiment_lib.by_influencer(
    act_output.carry.counterfactual_logits['messages'],
    np.arange(num_agents),
    types.others_of_all(num_agents),
    message_logits,
    experiment_lib.pairs(members),
  )
  return moa_state, inputs


EXPERIMENT = experiment_lib.Experiment(
  choice='message',
  counterfactual_delay=1,
  reply_delay=1,
  reads=('messages',),
  observe=_observe,
)
