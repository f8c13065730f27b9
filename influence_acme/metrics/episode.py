"""Computes episode metrics, shared by both rollout paths.

Both paths, step by step and many environments at once, keep the same sums
during an episode, and compute its metrics here when it has ended: the same
episode has the same row in the log. A metric that is undefined for an episode
is NaN, as the equality of an episode in which an agent's return is below 0: it
compares shares of a total, and of debts there are none.

Metrics of the agents' choices are in `coordination`. Letters: T steps of an
episode, N agents.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from influence_acme import ops, types
from influence_acme.ops import returns as returns_lib

_GROUP = {
  'gini': jax.jit(ops.gini),
  'equality': jax.jit(ops.equality),
  'fair_return': jax.jit(ops.fair_return),
}


class Totals(NamedTuple):
  """Holds sums over an episode; rewards are extrinsic.

  Attributes:
    returns: float32 [N].
    num_paid: int32 [N], the number of steps with a reward above 0.
    paid_time: float32 [N], the sum of these steps, counted from 0.
    num_steps: T.
    events: of the environment, see `environments`; int32 [N] or [] each.
  """

  returns: np.ndarray
  num_paid: np.ndarray
  paid_time: np.ndarray
  num_steps: int
  events: Mapping[str, np.ndarray]


def make_totals(
  rewards: np.ndarray, events: Mapping[str, np.ndarray]
) -> Totals:
  """Computes the sums of an episode from all its rewards.

  Args:
    rewards: float32 [T, N].
    events: of the episode.
  """
  is_paid = rewards > 0
  return Totals(
    returns=rewards.sum(axis=0),
    num_paid=is_paid.sum(axis=0, dtype=np.int32),
    paid_time=np.arange(len(rewards), dtype=np.float32) @ is_paid,
    num_steps=len(rewards),
    events=events,
  )


def of_group(
  totals: Totals, agent_ids: Sequence[types.AgentId]
) -> dict[str, Any]:
  """Computes metrics of the group's returns and events.

  Args:
    totals: of the episode.
    agent_ids: N names.

  Returns:
    Name -> number, or agent id -> count: 'collective_return', 'gini',
    'equality', 'fair_return', 'efficiency' and 'sustainability' of
    `influence_acme.ops`, the events, and 'peace' if agents fine each other.
    'gini', 'equality' and 'fair_return' are NaN if a return is below 0.
  """
  collective = float(totals.returns.sum())
  has_debts = (totals.returns < 0).any()
  when = returns_lib.mean_paid_time(totals.num_paid, totals.paid_time)
  measured: dict[str, Any] = {
    'collective_return': collective,
    'efficiency': collective / totals.num_steps,
    'sustainability': float(when),
    **{
      name: math.nan if has_debts else float(fn(totals.returns))
      for name, fn in _GROUP.items()
    },
  }
  for name, value in totals.events.items():
    if name == 'fined':
      in_peace = len(agent_ids) - float(value.sum()) / totals.num_steps
      measured['peace'] = in_peace
    elif np.ndim(value):
      measured[name] = dict(zip(agent_ids, value.tolist(), strict=True))
    else:
      measured[name] = int(value)
  return measured


def of_influence(influence: np.ndarray) -> dict[str, float]:
  """Computes the share of steps with more influence than on average.

  Args:
    influence: float32 [T, N], nats: in training the influence reward, before
      its weight; in an evaluation the influence on all others, by KL.

  Returns:
    'influential_share', of all agents' steps; NaN if no agent had any
    influence, as agents that do not measure it.
  """
  if not np.any(influence):
    return {'influential_share': math.nan}
  share = ops.influential_steps(influence).mean()
  return {'influential_share': float(share)}


def of_pairs(
  influence: np.ndarray, agent_ids: Sequence[types.AgentId]
) -> dict[types.AgentId, dict[types.AgentId, float]]:
  """Returns influencer -> influencee -> influence of one on the other.

  Args:
    influence: float [N, N], of the row's agent on the column's.
    agent_ids: N names.
  """
  return {
    source: {
      target: float(influence[i, j])
      for j, target in enumerate(agent_ids)
      if i != j
    }
    for i, source in enumerate(agent_ids)
  }
