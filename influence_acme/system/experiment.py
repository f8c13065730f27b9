"""Defines an experiment of the paper as a record.

The experiments differ in which choice is rewarded, in when its counterfactual
logits are known, and in when the others reply to it:

                   choice    counterfactuals known    others reply
    basic          action    at t                     at t
    communication  message   at t + 1                 at t + 1
    moa            action    at t                     at t + 1

The replies are read by measures of realised actions alone ('pmi'). Influence is
known one step late if anything that it needs is.

Letters: N agents, J = N - 1 others, K own choices.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import ops, types
from influence_acme.system import types as system_types


class Experiment(NamedTuple):
  """Defines one of the paper's experiments.

  Attributes:
    choice: the rewarded one, 'action' or 'message'.
    counterfactual_delay: steps until its counterfactual logits are known.
    reply_delay: steps until the others have acted on it.
    reads: entries about others in the observation that its agents' policies
      read.
    observe: (agent, members, params, observation, MOA state, ActOutput, next
      observation, is_last) -> (MOA state, influence inputs), see
      `JointPolicy.observe`; members bool [N] take part.
  """

  choice: str
  counterfactual_delay: int
  reply_delay: int
  reads: tuple[str, ...]
  observe: Callable[..., tuple[Any, system_types.InfluenceInputs]]

  def delay(self, measure: str) -> int:
    """Returns the number of steps until the influence is known, 0 or 1."""
    if ops.MEASURES[measure].needs_replies:
      return max(self.counterfactual_delay, self.reply_delay)
    return self.counterfactual_delay


def influence(
  experiment: Experiment,
  name: str,
  measure: str,
  step: system_types.InfluenceStep,
  following: system_types.InfluenceStep | None,
) -> ops.InfluenceOutput:
  """Computes everyone's influence at one step of an experiment.

  Args:
    experiment: that defines the delays.
    name: of the experiment, in the inputs.
    measure: of influence, see `ops.MEASURES`.
    step: of the choices.
    following: the next one; None if the influence has no delay.

  Returns:
    Influence of each agent, [N, ...], and on each of the others.
  """
  inputs = dict(step.inputs[name])
  if experiment.counterfactual_delay:
    assert following is not None
    # The marginal has the policy that the choice was made with.
    inputs |= {
      **following.inputs[name],
      'policy_logits': inputs['policy_logits'],
    }
  choices = step.actions
  if isinstance(choices, dict):
    choices = choices[experiment.choice]
  replies = None
  if ops.MEASURES[measure].needs_replies:
    reply_step = following if experiment.reply_delay else step
    assert reply_step is not None
    actions = system_types.actions_of(reply_step.actions)
    others = types.others_of_all(actions.shape[0])
    replies = jnp.moveaxis(actions[others], 1, -1)
  return ops.influence_reward(
    inputs['conditional_logits'],
    inputs['policy_logits'],
    choices,
    measure=measure,
    others_actions=replies,
    mask=inputs['mask'],
  )


def received(output: ops.InfluenceOutput) -> chex.Array:
  """Returns the influence that each agent received, float32 [N, ...].

  Args:
    output: of all agents; per_agent float32 [N, ..., J].
  """
  num_agents = output.per_agent.shape[0]
  others = types.others_of_all(num_agents)
  own = np.arange(num_agents)[:, None]
  # By influencee and, among its others, by influencer: [N, J, ...].
  places = own - (own > others)
  return output.per_agent[others, ..., places].sum(1)


def by_influencer(
  logits: chex.Array,
  influencees: np.ndarray,
  influencers: np.ndarray,
  policy_logits: chex.Array,
  pairs: np.ndarray,
) -> system_types.InfluenceInputs:
  """Arranges counterfactual logits of influencees by influencer.

  Args:
    logits: float32 [L, B, S, K, A], each influencee's policy for each choice of
      each influencer.
    influencees: int [L], their indices.
    influencers: int [L, S], the indices of those that each of them observes.
    policy_logits: float32 [N, B, K], of the policies that made the choices.
    pairs: bool [N, J], the pairs that take part.

  Returns:
    The influence inputs; the mask has the pairs with counterfactual logits.
  """
  num_agents = policy_logits.shape[0]
  row, column = np.zeros((2, num_agents, num_agents - 1), np.int32)
  known = np.zeros((num_agents, num_agents - 1), bool)
  for i, influencee in enumerate(influencees):
    for s, influencer in enumerate(influencers[i]):
      at = influencer, influencee - (influencee > influencer)
      row[at], column[at], known[at] = i, s, True
  by_pair = logits[row, :, column]  # [N, J, B, K, A]
  mask = jnp.broadcast_to(
    (known & pairs)[:, None], (*policy_logits.shape[:2], num_agents - 1)
  )
  return {
    'conditional_logits': jnp.moveaxis(by_pair, 1, 3),
    'policy_logits': policy_logits,
    'mask': mask,
  }


def pairs(members: np.ndarray) -> np.ndarray:
  """Returns bool [N, J], the pairs of two members."""
  return members[:, None] & members[types.others_of_all(len(members))]
