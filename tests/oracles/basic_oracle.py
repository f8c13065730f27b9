"""Recomputes a replay row of agents of whom influencers act first.

As `row_oracle`, a second path from pixels to reward in NumPy alone. Letters: N
agents, A actions.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from oracles import influence_oracle, network_oracle, row_oracle


def recompute(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  *,
  num_influencers: int,
  measure: str,
  influencee_reward: bool,
  blind: Collection[int] = (),
) -> row_oracle.RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: as for `row_oracle.recompute`.
    num_influencers: how many agents act first.
    measure: 'kl', 'jsd' or 'pmi'.
    influencee_reward: whether who is influenced is paid too.
    blind: who takes no part: it sees no actions, and has no influence.

  Returns:
    The row's logits and influence, and the next states.
  """
  num_agents = len(row.action)
  acts_first = {*range(num_influencers)}
  nothing = np.full(num_influencers, -1)
  own = []
  for agent in range(num_agents):
    sees_nothing = agent in acts_first or agent in blind
    seen = nothing if sees_nothing else row.action[:num_influencers]
    own.append(_ask(params, row, agent, seen, blind))
  logits = [answer for answer, _ in own]
  influence = np.zeros(num_agents)
  for influencer in range(num_influencers):
    for influencee in range(num_influencers, num_agents):
      if influencer in blind or influencee in blind:
        continue
      answers = []
      for supposed in range(len(logits[0])):
        actions = np.array(row.action)
        actions[influencer] = supposed
        seen = actions[:num_influencers]
        answers.append(_ask(params, row, influencee, seen, blind)[0])
      reward, _ = influence_oracle.influence_reward(
        np.stack(answers)[:, None],  # [K, 1, A]
        logits[influencer],
        np.asarray(row.action[influencer]),
        measure=measure,
        others_actions=row.action[influencee : influencee + 1],
      )
      influence[influencer] += reward
      influence[influencee] += reward if influencee_reward else 0.0
  states = row_oracle.stack_states([(state, ()) for _, state in own])
  return row_oracle.RecomputedRow(np.stack(logits), influence, states)


def _ask(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  agent: int,
  influencers_actions: np.ndarray,
  blind: Collection[int],
) -> tuple[np.ndarray, network_oracle.State]:
  """Returns logits [A], if the influencers did this, and the next state."""
  state, _ = row.extras['core_state']
  logits, _, next_state = network_oracle.policy(
    row_oracle.own_params(params, agent),
    row.observation['world'][agent],
    row_oracle.last_actions(row, agent, blind),
    tuple(part[agent] for part in state),
    influencers_actions,
  )
  return logits, next_state
