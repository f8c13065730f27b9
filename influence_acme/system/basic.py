"""Influencers act first, and those after them see what they do.

  act(o_t):  pi(. | s_t) -> a_t of the influencers
             pi(. | s_t, a_t of the influencers) -> a_t of the influencees, and
             what their policies would be, had each influencer acted otherwise

So influence shows within the step that causes it, and is judged by the
influencees' own policies, with their recurrent states from before the step and
the other influencers' actions as they were taken (the paper's Eq. 1 and 3). It
counts in view and out of it, and in the last step of an episode too.

Letters: N agents, of whom the first I are influencers and the other L = N - I
are influencees; A actions, K counterfactual actions (K = A), B environments.
"""

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme.system import act, counterfactuals, variants
from influence_acme.system import types as system_types


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


def inputs(
  num_influencers: int, takes_part: np.ndarray, decision: system_types.Decision
) -> counterfactuals.Inputs:
  """Returns what influence is judged by.

  Args:
    num_influencers: I.
    takes_part: bool [N]; others neither influence nor are influenced.
    decision: of the step. Who acted last in an episode was influenced as ever.
  """
  memory: act.Memory = decision.memory
  logits = decision.extras['logits']
  num_agents = logits.shape[0]
  influencers = np.arange(num_influencers)
  influencees = np.arange(num_influencers, num_agents)
  return counterfactuals.by_source(
    memory.answers['influencers'],
    influencees,
    np.broadcast_to(influencers, (len(influencees), num_influencers)),
    logits,
    variants.pairs(takes_part),
  )
