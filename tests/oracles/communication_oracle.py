"""Recomputes a replay row of agents that speak.

As `row_oracle`, a second path from pixels to reward in NumPy alone. Letters: N
agents, A actions, M symbols.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from oracles import influence_oracle, network_oracle, row_oracle


class RecomputedRow(NamedTuple):
  """What a row should hold.

  Attributes:
    logits: float64 [N, A], the behaviour policies.
    message_logits: float64 [N, M], those of messages.
    influence: float64 [N], in nats.
    core_state: recurrent states after the step, as the next row holds them.
  """

  logits: np.ndarray
  message_logits: np.ndarray
  influence: np.ndarray
  core_state: Any


def recompute(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  following: Any,
  *,
  measure: str,
  following_params: Mapping[str, Mapping[str, Any]] | None = None,
  blind: Collection[int] = (),
) -> RecomputedRow:
  """Recomputes one row.

  Args:
    params: stacked, [N, ...], of the learner step that the row names.
    row: as for `row_oracle.recompute`; 'action' and 'message' of its action.
    following: the next row, whose states are not read; None if this one is the
      last step of its episode, after which nobody acts.
    measure: 'kl', 'jsd' or 'pmi'.
    following_params: of the learner step that the next row names, if another.
    blind: who takes no part: it is not heard, and hears nothing.

  Returns:
    The row's logits and influence.
  """
  num_agents = len(row.action['action'])
  before, _ = row.extras['core_state']
  own = [
    _ask(params, row, k, _heard(row, k, blind), [part[k] for part in before])
    for k in range(num_agents)
  ]
  logits, message_logits, after = zip(*own, strict=True)
  influence = np.zeros(num_agents)
  for speaker in range(num_agents):
    for listener in range(num_agents):
      if following is None or speaker == listener:
        continue
      if speaker in blind or listener in blind:
        continue
      heard = _heard(following, listener, blind)
      answers = []
      for supposed in range(len(message_logits[speaker])):
        messages = np.array(heard)
        messages[speaker] = supposed
        asked = following_params or params
        answer, _, _ = _ask(
          asked, following, listener, messages, after[listener]
        )
        answers.append(answer)
      reward, _ = influence_oracle.influence_reward(
        np.stack(answers)[:, None],  # [M, 1, A]
        message_logits[speaker],
        np.asarray(row.action['message'][speaker]),
        measure=measure,
        others_actions=following.action['action'][listener : listener + 1],
      )
      influence[speaker] += reward
  return RecomputedRow(
    np.stack(logits),
    np.stack(message_logits),
    influence,
    row_oracle.stack_states([(state, ()) for state in after]),
  )


def _heard(row: Any, agent: int, blind: Collection[int]) -> np.ndarray:
  """Returns int [N], what an agent has heard of what everyone said last."""
  messages = np.array(row.observation['messages'][agent])
  for k in range(len(messages)):
    if k in blind or agent in blind:
      messages[k] = -1
  return messages


def _ask(
  params: Mapping[str, Mapping[str, Any]],
  row: Any,
  agent: int,
  messages: np.ndarray,
  state: Any,
) -> tuple[np.ndarray, np.ndarray, network_oracle.State]:
  """Returns logits [A] and [M], had it heard these messages; the next state."""
  own = row_oracle.own_params(params, agent)
  logits, _, next_state = network_oracle.policy(
    own,
    row.observation['world'][agent],
    messages,
    tuple(state),
    num_choices=np.shape(own['message_head/policy']['b'])[0],
  )
  return logits, network_oracle.message(own, next_state[0])[0], next_state
