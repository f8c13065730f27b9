"""How influence is judged, whoever has answered for the others.

What it is judged by, the inputs, is the same for all:

  'conditional_logits'  float32 [N, ..., K, J, A], what each other would do, had
                        each agent made each choice
  'policy_logits'       float32 [N, ..., K], the policies that choices came from
  'mask'                bool [N, ..., J], whom of the others it counts on

Letters: `...` batch axes, N agents, J = N - 1 others, A actions, K choices, L
listeners, S sources of influence that a listener heeds.
"""

from collections.abc import Mapping

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import ops, types
from influence_acme.system import types as system_types

Inputs = Mapping[str, chex.Array]


def others_of_all(num_agents: int) -> np.ndarray:
  """Returns int32 [N, J]: for each agent the others, in the agents' order."""
  return np.stack([types.others(i, num_agents) for i in range(num_agents)])


def own_places(num_agents: int) -> np.ndarray:
  """Returns int32 [N, J]: each agent's place among the others of each other."""
  others = others_of_all(num_agents)
  own = np.arange(num_agents)[:, None]
  return own - (own > others)


def judge(
  measure: str,
  inputs: Inputs,
  choices: chex.Array,
  others_actions: chex.Array | None,
) -> ops.InfluenceOutput:
  """Judges the choices of one step.

  Args:
    measure: 'kl', 'jsd' or 'pmi'.
    inputs: see above.
    choices: int32 [N, ...], that the agents made.
    others_actions: int32 [N, ...], what the agents did, having seen them; for
      'pmi' alone.

  Returns:
    Each agent's influence.
  """
  if others_actions is not None:
    others = others_of_all(others_actions.shape[0])
    others_actions = jnp.moveaxis(others_actions[others], 1, -1)
  return ops.influence_reward(
    inputs['conditional_logits'],
    inputs['policy_logits'],
    choices,
    measure=measure,
    others_actions=others_actions,
    mask=inputs['mask'],
  )


def influence_by_model(
  measure: str, step: system_types.Judged, following: system_types.Judged | None
) -> chex.Array:
  """Returns the influence of actions on the next ones, float32 [N, ...].

  Args:
    measure: 'kl', 'jsd' or 'pmi'.
    step: the one that is judged, with what models of others answered.
    following: the next one; for 'pmi' alone.
  """
  others_actions = None
  if following is not None:
    others_actions = system_types.actions_of(following.actions)
  actions = system_types.actions_of(step.actions)
  return judge(measure, step.inputs, actions, others_actions).reward


def influence_at_once(
  measure: str,
  influencee_reward: bool,
  step: system_types.Judged,
  following: system_types.Judged | None,
) -> chex.Array:
  """Returns the influence of actions on those of the same step, [N, ...].

  Args:
    measure: 'kl', 'jsd' or 'pmi'.
    influencee_reward: whether who is influenced gets the same once more.
    step: the one that is judged, with what later agents answered.
    following: not needed.
  """
  del following
  actions = system_types.actions_of(step.actions)
  output = judge(measure, step.inputs, actions, actions)
  if not influencee_reward:
    return output.reward
  num_agents = actions.shape[0]
  # By listener and, among its others, by source: [N, J, ...].
  received = output.per_agent[
    others_of_all(num_agents), ..., own_places(num_agents)
  ]
  return output.reward + received.sum(1)


def influence_of_messages(
  measure: str, step: system_types.Judged, following: system_types.Judged | None
) -> chex.Array:
  """Returns the influence of messages on the next actions, [N, ...].

  Args:
    measure: 'kl', 'jsd' or 'pmi'.
    step: the one in which they were said.
    following: the next one, with what those who heard them answered.
  """
  assert following is not None  # The policy's delay is 1.
  inputs = {**following.inputs, 'policy_logits': step.inputs['policy_logits']}
  return judge(
    measure, inputs, step.actions['message'], following.actions['action']
  ).reward


def by_source(
  answers: chex.Array,
  listeners: np.ndarray,
  sources: np.ndarray,
  policy_logits: chex.Array,
  takes_part: np.ndarray,
) -> Inputs:
  """Brings listeners' answers to the layout in which influence is judged.

  Args:
    answers: float32 [L, B, S, K, A], each listener's policy for each choice of
      each source.
    listeners: int [L], which agents these are.
    sources: int [L, S], whom each of them heeds.
    policy_logits: float32 [N, B, K], that the sources' choices came from.
    takes_part: bool [N, J], which pairs take part.

  Returns:
    The inputs; the mask has the pairs in which there is an answer.
  """
  num_agents = int(max(listeners.max(), sources.max())) + 1
  listener_of, source_of = np.zeros((2, num_agents, num_agents - 1), np.int32)
  is_answered = np.zeros((num_agents, num_agents - 1), bool)
  for l, listener in enumerate(listeners):
    for s, source in enumerate(sources[l]):
      at = source, listener - (listener > source)
      listener_of[at], source_of[at], is_answered[at] = l, s, True
  by_pair = answers[listener_of, :, source_of]  # [N, J, B, K, A]
  return {
    'conditional_logits': jnp.moveaxis(by_pair, 1, 3),
    'policy_logits': policy_logits,
    'mask': jnp.broadcast_to(
      (is_answered & takes_part)[:, None],
      (*policy_logits.shape[:2], num_agents - 1),
    ),
  }
