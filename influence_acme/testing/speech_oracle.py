"""Recomputes a replay row of agents that speak.

As `row_oracle`, a second path from pixels to reward in NumPy alone. Letters: N
agents, A actions, M symbols.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from influence_acme.testing import network_oracle, oracles, row_oracle


class RecomputedRow(NamedTuple):
  """What a row should hold.

  Attributes:
    logits: float64 [N, A], the behaviour policies.
    message_logits: float64 [N, M], those of messages.
    influence: float64 [N], in nats.
  """

  logits: np.ndarray
  message_logits: np.ndarray
  influence: np.ndarray


def recompute(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  following: Any,
  *,
  measure: str,
  following_params: Mapping[str, Mapping[str, Any]] | None = None,
) -> RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: as for `row_oracle.recompute`; 'action' and 'message' of its action.
    following: the next row; None if this one is the last step of its episode,
      after which nobody acts.
    measure: 'kl', 'jsd' or 'pmi'.
    following_params: of the learner step that the next row names, if another.

  Returns:
    The row's logits and influence.
  """
  num_agents = len(row.action['action'])
  own = [_ask(params, row, k) for k in range(num_agents)]
  message_logits = np.stack([logits for _, logits in own])
  influence = np.zeros(num_agents)
  for speaker in range(num_agents):
    for listener in range(num_agents):
      if following is None or speaker == listener:
        continue
      heard = following.observation['messages'][listener]
      answers = []
      for supposed in range(message_logits.shape[1]):
        messages = np.array(heard)
        messages[speaker] = supposed
        asked = following_params or params
        answers.append(_ask(asked, following, listener, messages)[0])
      reward, _ = oracles.influence_reward(
        np.stack(answers)[:, None],  # [M, 1, A]
        message_logits[speaker],
        np.asarray(row.action['message'][speaker]),
        measure=measure,
        others_actions=following.action['action'][listener : listener + 1],
      )
      influence[speaker] += reward
  return RecomputedRow(
    np.stack([logits for logits, _ in own]), message_logits, influence
  )


def _ask(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  agent: int,
  messages: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Returns an agent's logits [A] and [M], had it heard these messages."""
  own = row_oracle.own_params(params, agent)
  state, _ = row.extras['core_state']
  if messages is None:
    messages = row.observation['messages'][agent]
  logits, _, (hidden, _) = network_oracle.policy(
    own,
    row.observation['world'][agent],
    messages,
    tuple(part[agent] for part in state),
    num_choices=np.shape(own['message_head/policy']['b'])[0],
  )
  return logits, network_oracle.message(own, hidden)[0]
