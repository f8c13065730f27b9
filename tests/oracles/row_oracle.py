"""Recomputes a replay row's influence from what the row itself holds.

A second path from pixels to reward, in NumPy alone: the row's recurrent
states, its observation and actions, and the parameters that the actor had.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from oracles import influence_oracle, network_oracle


class RecomputedRow(NamedTuple):
  """What a row should hold.

  Attributes:
    logits: float64 [N, A], the behaviour policies.
    influence: float64 [N], in nats.
    core_state: recurrent states after the step, as the next row holds them.
  """

  logits: np.ndarray
  influence: np.ndarray
  core_state: Any


def recompute(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  is_last_step: bool,
  *,
  measure: str = 'kl',
  next_actions: Any = None,
  blind: Collection[int] = (),
) -> RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: one step of the replay, without batch and time axes: observation
      [N, ...], action [N], and extras with the states before the step.
    is_last_step: whether the row is the last step of its episode, after which
      nobody acts.
    measure: 'kl', 'jsd' or 'pmi'.
    next_actions: int [N], of the next row; for 'pmi' alone.
    blind: who takes no part: its policy sees no actions, and it has no model.

  Returns:
    The row's logits and influence, and the next states.
  """
  num_agents = len(row.action)
  logits, influence, states = [], [], []
  for agent in range(num_agents):
    own = own_params(params, agent)
    world = row.observation['world'][agent]
    policy_state, moa_state = row.extras['core_state']
    own_logits, _, next_policy = network_oracle.policy(
      own,
      world,
      last_actions(row, agent, blind),
      tuple(part[agent] for part in policy_state),
    )
    conditional, next_moa = network_oracle.counterfactuals(
      own, world, row.action, tuple(part[agent] for part in moa_state), agent
    )
    visible = np.delete(row.observation['visible'][agent], agent)
    counts = visible & (not is_last_step) & (agent not in blind)
    reward, _ = influence_oracle.influence_reward(
      conditional,
      own_logits,
      np.asarray(row.action[agent]),
      measure=measure,
      others_actions=None
      if next_actions is None
      else np.delete(next_actions, agent),
      mask=counts,
    )
    logits.append(own_logits)
    influence.append(reward)
    states.append((next_policy, next_moa))
  return RecomputedRow(
    np.stack(logits), np.stack(influence), stack_states(states)
  )


def stack_states(states: Sequence[Any]) -> Any:
  """Stacks pairs of the agents' states, of which the second may be ()."""
  policy, moa = zip(*states, strict=True)
  return tuple(
    tuple(np.stack(part) for part in zip(*of_all, strict=True))
    for of_all in (policy, moa)
  )


def last_actions(row: Any, agent: int, blind: Collection[int]) -> np.ndarray:
  """Returns int [N], the last actions that an agent's policy knows of."""
  actions = row.observation['actions'][agent]
  return np.full_like(actions, -1) if agent in blind else actions


def own_params(
  params: Mapping[str, Mapping[str, Any]], agent: int
) -> dict[str, dict[str, np.ndarray]]:
  """Returns one agent's parameters of stacked ones, [N, ...]."""
  return {
    module: {name: np.asarray(value[agent]) for name, value in group.items()}
    for module, group in params.items()
  }
