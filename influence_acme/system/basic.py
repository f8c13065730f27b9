"""Computes basic influence: influencers act first, and influencees observe it.

  act(o_t):  pi(. | s_t) -> a_t of the influencers
             pi(. | s_t, a_t of the influencers) -> a_t of the influencees, and
             their logits for each action of each influencer

Influence is known within the step that causes it. It is computed from the
influencees' own policies, with their recurrent states before the step and the
other influencers' actions as taken (the paper's Eq. 1 and 3). It counts in view
and out of view, and in the last step of an episode too.

Letters: N agents, of which the first I are influencers; B environments.
"""

from typing import Any

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme.system import experiment as experiment_lib
from influence_acme.system import types as system_types


def influencers_observed(
  own_index: chex.Numeric,
  actions: chex.Array,
  num_influencers: int,
  is_padding: chex.Array,
) -> chex.Array:
  """Returns the influencers' actions that an agent observes before it acts.

  Args:
    own_index: int [], of the agent.
    actions: int32 [..., N], of everyone in the step.
    num_influencers: I.
    is_padding: bool [...], rows of an episode's last observation, whose value
      bootstraps: nobody acts there.

  Returns:
    int32 [..., I]; -1 in padding, and for an influencer, which observes no
    actions.
  """
  is_unknown = (own_index < num_influencers) | is_padding
  return jnp.where(is_unknown[..., None], -1, actions[..., :num_influencers])


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
  """Arranges the influencees' counterfactual logits of this step."""
  del agent, params, observation, next_observation, is_last
  logits = act_output.carry.counterfactual_logits['influencers']
  num_agents = len(act_output.extras['logits'])
  num_influencers = num_agents - len(logits)
  influencees = np.arange(num_influencers, num_agents)
  inputs = experiment_lib.by_influencer(
    logits,
    influencees,
    np.tile(np.arange(num_influencers), (len(influencees), 1)),
    act_output.extras['logits'],
    experiment_lib.pairs(members),
  )
  return moa_state, inputs


EXPERIMENT = experiment_lib.Experiment(
  choice='action',
  counterfactual_delay=0,
  reply_delay=0,
  reads=('actions', 'influencers'),
  observe=_observe,
)
