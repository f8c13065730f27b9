"""Recomputes rows of any population: of one variant, or of several.

Each row goes to the oracle of every experiment that some take part in, with
the weights that its network has, and that one's agents are taken from it.
Letters: T steps, N agents, A actions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from oracles import (
  basic_oracle,
  communication_oracle,
  network_oracle,
  row_oracle,
  social_oracle,
)

_EXPERIMENTS = {
  'basic': ('visible_actions', 'basic_influence'),
  'communication': ('comm_baseline', 'communication'),
  'moa': ('moa_baseline', 'moa'),
}
PAID = ('basic_influence', 'communication', 'moa')
# What policies read beside what they see, in its order, and who reads it.
_READS = {
  'actions': ('basic', 'moa'),
  'influencers': ('basic',),
  'messages': ('communication',),
}
_Params = Mapping[str, Mapping[str, Any]]


def recompute(
  config: Any,
  variants: Sequence[str],
  params: _Params,
  row: Any,
  following: Any,
  following_params: _Params,
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
  own = [
    _ask_alone(_only(None, config, variants, params), row, k)
    for k in range(len(variants))
  ]
  logits = np.stack([answer for answer, _ in own])
  influence = np.zeros(len(variants))
  policy, moa = row_oracle.stack_states([(state, ()) for _, state in own])
  for experiment, group in _EXPERIMENTS.items():
    members = np.array([name in group for name in variants])
    if not members.any():
      continue
    of_it = _recompute_one(
      experiment,
      np.flatnonzero(~members),
      config,
      _only(experiment, config, variants, params),
      row,
      following,
      _only(experiment, config, variants, following_params),
    )
    states, moa_states = of_it.core_state
    logits[members] = of_it.logits[members]
    influence[members] = of_it.influence[members]
    for x, y in zip(policy, states, strict=True):
      x[members] = y[members]
    moa = moa_states if experiment == 'moa' else moa
  core_state = (policy, moa)
  if 'message_head/policy' not in params:
    return row_oracle.RecomputedRow(logits, influence, core_state)
  message_logits = [
    network_oracle.message(row_oracle.own_params(params, k), hidden)[0]
    for k, hidden in enumerate(policy[0])
  ]
  return communication_oracle.RecomputedRow(
    logits, np.stack(message_logits), influence, core_state
  )


def _recompute_one(
  experiment: str,
  blind: Any,
  config: Any,
  params: _Params,
  row: Any,
  following: Any,
  following_params: _Params,
) -> Any:
  """Asks one experiment's oracle; see `recompute`."""
  measure = config.influence_measure
  if experiment == 'communication':
    return communication_oracle.recompute(
      params,
      row,
      following,
      measure=measure,
      following_params=following_params,
      blind=blind,
    )
  row = row._replace(action=_actions(row))
  if experiment == 'basic':
    return basic_oracle.recompute(
      params,
      row,
      num_influencers=config.num_influencers,
      measure=measure,
      influencee_reward=config.influencee_reward,
      blind=blind,
    )
  return row_oracle.recompute(
    params,
    row,
    following is None,
    measure=measure,
    next_actions=None if following is None else _actions(following),
    blind=blind,
  )


def _actions(row: Any) -> np.ndarray:
  """Returns int [N], without what was said."""
  return row.action['action'] if isinstance(row.action, Mapping) else row.action


def _only(
  experiment: str | None, config: Any, variants: Sequence[str], params: _Params
) -> _Params:
  """Returns the weights that an experiment's network has; None: a baseline's.

  The policies' LSTMs read what they see, then what the population's
  experiments need of the others, then their hidden states.
  """
  played = [
    name
    for name, group in _EXPERIMENTS.items()
    if any(variant in group for variant in variants)
  ]
  count = {
    'actions': len(variants) * _num_choices(params, 'policy_value_head'),
    'influencers': (
      config.num_influencers * _num_choices(params, 'policy_value_head')
    ),
    'messages': len(variants) * _num_choices(params, 'message_head'),
  }
  reads = {k: v for k, v in _READS.items() if {*v} & {*played}}
  weights = np.asarray(params['policy_core']['w'])
  hidden = weights.shape[-1] // 4
  at = weights.shape[1] - hidden - sum(count[name] for name in reads)
  kept = [weights[:, :at]]
  for name, readers in reads.items():
    if experiment in readers:
      kept.append(weights[:, at : at + count[name]])
    at += count[name]
  kept.append(weights[:, at:])
  core = dict(params['policy_core'], w=np.concatenate(kept, axis=1))
  return dict(params, policy_core=core)


def _num_choices(params: _Params, head: str) -> int:
  """Returns how many choices a head has; 0 if there is none."""
  name = f'{head}/policy'
  return np.shape(params[name]['b'])[-1] if name in params else 0


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
