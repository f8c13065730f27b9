"""Recomputes rows of any population: of one variant, or of several.

Each row goes to the oracle of the experiment that is played, of which this one
knows who takes part. Letters: T steps, N agents.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme.testing import (
  network_oracle,
  row_oracle,
  social_oracle,
  speech_oracle,
  turns_oracle,
)

_EXPERIMENTS = {
  'turns': ('visible_actions', 'basic_influence'),
  'speech': ('comm_baseline', 'communication'),
  'models': ('moa_baseline', 'moa'),
}
PAID = ('basic_influence', 'communication', 'moa')


def recompute(
  config: Any,
  variants: Sequence[str],
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  following: Any,
  following_params: Mapping[str, Mapping[str, Any]],
) -> Any:
  """Recomputes one row.

  Args:
    config: with the agent's options, of which none says who is what.
    variants: of each agent.
    params: stacked, [N, ...], of the learner step that the row names.
    row: as for `row_oracle.recompute`.
    following: the next row; None if this one is the last step of its episode.
    following_params: of the learner step that the next row names.

  Returns:
    The row's logits and influence, the next states, and message logits where
    agents speak.
  """
  measure = config.influence_measure
  for experiment, group in _EXPERIMENTS.items():
    blind = [i for i, name in enumerate(variants) if name not in group]
    if len(blind) == len(variants):
      continue
    if experiment == 'turns':
      return turns_oracle.recompute(
        params,
        row,
        num_influencers=config.num_influencers,
        measure=measure,
        influencee_reward=config.influencee_reward,
        blind=blind,
      )
    if experiment == 'speech':
      return speech_oracle.recompute(
        params,
        row,
        following,
        measure=measure,
        following_params=following_params,
        blind=blind,
      )
    return row_oracle.recompute(
      params,
      row,
      following is None,
      measure=measure,
      next_actions=None if following is None else following.action,
      blind=blind,
    )
  own = [_ask_alone(params, row, k) for k in range(len(variants))]
  return row_oracle.RecomputedRow(
    np.stack([logits for logits, _ in own]),
    np.zeros(len(variants)),
    row_oracle.stack_states([(state, ()) for _, state in own]),
  )


def rewards(
  config: Any,
  variants: Sequence[str],
  extrinsic: np.ndarray,
  influence: np.ndarray,
  share: np.ndarray,
) -> np.ndarray:
  """Recomputes what the agents are paid in one whole episode.

  Args:
    config: with the agent's options.
    variants: of each agent.
    extrinsic: float [T, N].
    influence: float [T, N], in nats.
    share: float [T], of the influence's weight, as far as the curriculum is.

  Returns:
    float64 [T, N].
  """
  weights = np.broadcast_to(config.influence_weight, len(variants))
  fair = social_oracle.inequity_averse_rewards(
    extrinsic,
    alpha=config.inequity_behind,
    beta=config.inequity_ahead,
    gamma=config.discount,
    lam=config.inequity_smoothing,
  )
  paid = np.zeros(np.shape(extrinsic))
  for t, row in enumerate(extrinsic):
    caring = social_oracle.prosocial_reward(row, config.prosocial_weight)
    for k, name in enumerate(variants):
      if name == 'prosocial':
        paid[t, k] = caring[k]
      elif name == 'inequity_aversion':
        paid[t, k] = fair[t, k]
      else:
        paid[t, k] = row[k]
      if name in PAID:
        paid[t, k] += weights[k] * share[t] * influence[t, k]
  return paid


def _ask_alone(
  params: Mapping[str, Mapping[str, Any]], row: Any, agent: int
) -> tuple[np.ndarray, network_oracle.State]:
  """Returns logits [A], if an agent sees nothing but its view; next state."""
  state, _ = row.extras['core_state']
  logits, _, next_state = network_oracle.policy(
    row_oracle.own_params(params, agent),
    row.observation['world'][agent],
    np.zeros(0, int),
    tuple(part[agent] for part in state),
  )
  return logits, next_state
