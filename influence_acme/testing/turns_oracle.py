"""Recomputes a replay row of agents of whom influencers act first.

As `row_oracle`, a second path from pixels to reward in NumPy alone. Letters: N
agents, A actions.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from influence_acme.testing import network_oracle, oracles, row_oracle


def recompute(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  *,
  num_influencers: int,
  measure: str,
  influencee_reward: bool,
) -> row_oracle.RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: as for `row_oracle.recompute`.
    num_influencers: how many agents act first.
    measure: 'kl', 'jsd' or 'pmi'.
    influencee_reward: whether who is influenced is paid too.

  Returns:
    The row's logits and influence.
  """
  num_agents = len(row.action)
  logits = [
    _ask(params, row, agent, _seen(row.action, agent, num_influencers))
    for agent in range(num_agents)
  ]
  influence = np.zeros(num_agents)
  for influencer in range(num_influencers):
    for influencee in range(num_influencers, num_agents):
      answers = []
      for supposed in range(len(logits[0])):
        actions = np.array(row.action)
        actions[influencer] = supposed
        answers.append(_ask(params, row, influencee, actions[:num_influencers]))
      reward, _ = oracles.influence_reward(
        np.stack(answers)[:, None],  # [K, 1, A]
        logits[influencer],
        np.asarray(row.action[influencer]),
        measure=measure,
        others_actions=row.action[influencee : influencee + 1],
      )
      influence[influencer] += reward
      influence[influencee] += reward if influencee_reward else 0.0
  return row_oracle.RecomputedRow(np.stack(logits), influence)


def _seen(actions: np.ndarray, agent: int, num_influencers: int) -> np.ndarray:
  """Returns what an agent sees of the influencers before it acts."""
  if agent < num_influencers:
    return np.full(num_influencers, -1)
  return actions[:num_influencers]


def _ask(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  agent: int,
  influencers_actions: np.ndarray,
) -> np.ndarray:
  """Returns an agent's logits [A], if the influencers did this."""
  state, _ = row.extras['core_state']
  logits, _, _ = network_oracle.policy(
    row_oracle.own_params(params, agent),
    row.observation['world'][agent],
    row.observation['actions'][agent],
    tuple(part[agent] for part in state),
    influencers_actions,
  )
  return logits
