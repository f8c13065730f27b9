"""Summarises an update for the logs.

Letters: N agents, T steps (T + 1 rows), B sequences.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme import types
from influence_acme.system import config as config_lib
from influence_acme.system import schedules
from influence_acme.system import sequences as sequences_lib


def check_finite(
  metrics: Mapping[str, np.ndarray],
  agent_ids: Sequence[types.AgentId],
  learner_steps: int,
) -> None:
  """Raises FloatingPointError: a loss or gradient is not finite.

  Args:
    metrics: float32 [N] each, with 'loss' and 'gradient_norm'.
    agent_ids: N names.
    learner_steps: of the update, for the message.
  """
  is_finite = np.isfinite(metrics['loss'] + metrics['gradient_norm'])
  bad = [
    agent_id
    for agent_id, good in zip(agent_ids, is_finite, strict=True)
    if not good
  ]
  if bad:
    raise FloatingPointError(
      f'Loss or gradient of {", ".join(bad)} is not finite at learner step '
      f'{learner_steps}. The last checkpoint is still good: '
      'resume from it with a lower learning_rate, max_gradient_norm or '
      'reward_scale.'
    )


def check_rewards(
  reward: np.ndarray,
  agent_ids: Sequence[types.AgentId],
  learner_steps: int,
) -> None:
  """Raises FloatingPointError: a reward is not finite.

  Args:
    reward: float32 [N, ...].
    agent_ids: N names.
    learner_steps: of the parameters that acted, for the message.
  """
  bad = [
    agent_id
    for agent_id, rewards in zip(agent_ids, reward, strict=True)
    if not np.isfinite(rewards).all()
  ]
  if bad:
    raise FloatingPointError(
      f'The reward of {", ".join(bad)} is not finite with the parameters of '
      f'learner step {learner_steps}. Look for NaN in them.'
    )


def summarise(
  metrics: Mapping[str, np.ndarray],
  sequences: sequences_lib.Sequences,
  agent_ids: Sequence[types.AgentId],
  config: config_lib.InfluenceConfig,
  environment_steps: int,
) -> dict[str, Any]:
  """Computes means over agents, and each agent's rewards, of one batch.

  Args:
    metrics: float32 [N] each; NaN for agents to which one does not apply.
    sequences: of all agents, [N, T + 1, B].
    agent_ids: N names.
    config: for the schedules.
    environment_steps: global ones, the time of the schedules.

  Returns:
    Name -> number, or agent id -> number; rewards and influence a step.
  """
  means: dict[str, Any] = {
    name: float(np.nanmean(value)) for name, value in metrics.items()
  }
  # Padding after an episode's last step counts nothing.
  is_step = ~np.asarray(sequences.start_of_episode)[0, 1:]
  for name in ('extrinsic', 'influence'):
    values = np.asarray(getattr(sequences, name))[:, :-1]
    by_agent = values[:, is_step].mean(axis=1)
    means[name] = dict(zip(agent_ids, by_agent, strict=True))
  weight: Any = schedules.influence_weight(config, environment_steps)
  if isinstance(weight, np.ndarray):
    weight = dict(zip(agent_ids, weight, strict=True))
  rates = schedules.rates(config, environment_steps)
  return {
    **means,
    'influence_weight': weight,
    'learning_rate': float(rates.learning_rate),
    'entropy_cost': float(rates.entropy_cost),
  }
