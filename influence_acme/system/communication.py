"""Agents that say something beside what they do, heard by all in the next step.

  act(o_t):      pi(. | s_t, m_{t-1}) -> a_t, and pi_m(. | s_t, m_{t-1}) -> m_t
  act(o_{t+1}):  the same, and what each listener's policy would be, had each
                 other agent said anything else at t

So the influence of a symbol shows one step late, and is judged by the own
policies of those who heard it, with their recurrent states from before step
t + 1 and all else in o_{t+1} as it was. Everyone hears everyone, in view or
not. After the last step of an episode nobody acts: the symbol of that step has
no influence.

Letters: N agents, J = N - 1 others, A actions, M symbols, B environments.
"""

import numpy as np

from influence_acme.system import act, counterfactuals, variants
from influence_acme.system import types as system_types


def inputs(
  takes_part: np.ndarray, decision: system_types.Decision
) -> counterfactuals.Inputs:
  """Returns what influence is judged by.

  Args:
    takes_part: bool [N]; others neither influence nor are influenced.
    decision: of the step.

  Returns:
    The answers to the symbols of the step before, and the policies of this
    step's symbols.
  """
  memory: act.Memory = decision.memory
  logits = decision.extras['message_logits']
  num_agents = logits.shape[0]
  return counterfactuals.by_source(
    memory.answers['messages'],
    np.arange(num_agents),
    counterfactuals.others_of_all(num_agents),
    logits,
    variants.pairs(takes_part),
  )
