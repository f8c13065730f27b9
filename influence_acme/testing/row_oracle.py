"""Recomputes a replay row's influence from what the row itself holds.

A second path from pixels to reward, in NumPy alone: the row's recurrent
states, its observation and actions, and the parameters that the actor had.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from influence_acme.testing import network_oracle, oracles


class RecomputedRow(NamedTuple):
  """What a row should hold.

  Attributes:
    logits: float64 [N, A], the behaviour policies.
    influence: float64 [N], in nats.
  """

  logits: np.ndarray
  influence: np.ndarray


def recompute(
  params: Mapping[str, Mapping[str, Any]], row: Any, is_last_step: bool
) -> RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: one step of the replay, without batch and time axes: observation
      [N, ...], action [N], and extras with the states before the step.
    is_last_step: whether the row is the last step of its episode, after which
      nobody acts.

  Returns:
    The row's logits and influence.
  """
  num_agents = len(row.action)
  logits, influence = [], []
  for agent in range(num_agents):
    own = own_params(params, agent)
    world = row.observation['world'][agent]
    policy_state, moa_state = row.extras['core_state']
    own_logits, _, _ = network_oracle.policy(
      own,
      world,
      row.observation['actions'][agent],
      tuple(part[agent] for part in policy_state),
    )
    conditional, _ = network_oracle.counterfactuals(
      own, world, row.action, tuple(part[agent] for part in moa_state), agent
    )
    visible = np.delete(row.observation['visible'][agent], agent)
    reward, _ = oracles.influence_reward(
      conditional,
      own_logits,
      np.asarray(row.action[agent]),
      mask=visible & (not is_last_step),
    )
    logits.append(own_logits)
    influence.append(reward)
  return RecomputedRow(np.stack(logits), np.stack(influence))


def own_params(
  params: Mapping[str, Mapping[str, Any]], agent: int
) -> dict[str, dict[str, np.ndarray]]:
  """Returns one agent's parameters of stacked ones, [N, ...]."""
  return {
    module: {name: np.asarray(value[agent]) for name, value in group.items()}
    for module, group in params.items()
  }
