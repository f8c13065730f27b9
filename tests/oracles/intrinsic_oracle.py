"""The model of others of `agents.intrinsic` in slow, plain NumPy.

It reads that one's parameters by name, and is told what the rows of a sequence
hold (see `sample_oracle`).

Letters: T rows, B sequences, N agents, J others, A actions, K own actions.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from oracles import influence_oracle, network_oracle, sample_oracle


class Row(NamedTuple):
  """What the model says of a row.

  Attributes:
    asked: float [K, J, A], logits of the others' next actions.
    present: float [N, A], logits of everyone's present actions.
    actions: int [N], what all do; -1 if it is not known.
    visible: bool [N].
  """

  asked: np.ndarray
  present: np.ndarray
  actions: np.ndarray
  visible: np.ndarray


class Model:
  """The model with given parameters."""

  def __init__(self, params: Any, own_index: int):
    """Takes the parameters.

    Args:
      params: of the model.
      own_index: which agent the inner one is.
    """
    self._params = params
    self._own = own_index
    self._hidden_size = len(params['moa_core/~/lstm']['b']) // 4

  def nothing_known(self) -> network_oracle.State:
    """Returns the state at the start of an episode."""
    return np.zeros(self._hidden_size), np.zeros(self._hidden_size)

  def next(
    self, world: np.ndarray, actions: np.ndarray, state: network_oracle.State
  ) -> tuple[np.ndarray, network_oracle.State]:
    """Returns logits [K, J, A] of the others' next actions, and the state."""
    num_others = len(actions) - 1
    size = len(self._params['moa_core/~/others']['b']) // num_others
    sized = {'policy_value_head/policy': {'b': np.zeros(size)}}
    return network_oracle.counterfactuals(
      {**self._params, **sized}, world, actions, state, self._own
    )

  def present(
    self, world: np.ndarray, last_actions: np.ndarray, hidden: np.ndarray
  ) -> np.ndarray:
    """Returns logits [N, A] of everyone's present actions."""
    params = self._params
    num_agents = len(last_actions)
    num_actions = len(params['present/~/linear_1']['b']) // num_agents
    features = network_oracle._dense(
      params, 0, network_oracle._torso(params, world)
    )
    one_hots = network_oracle._one_hots(last_actions, num_actions)
    x = np.concatenate([features, hidden, one_hots])
    x = np.maximum(network_oracle._linear(params, 'present/~/linear_0', x), 0)
    x = network_oracle._linear(params, 'present/~/linear_1', x)
    return x.reshape(num_agents, num_actions)

  def unrolled(self, data: sample_oracle.Step, b: int) -> Iterator[Row]:
    """Yields the rows of a sequence.

    Args:
      data: arrays [B, T, ...].
      b: which sequence.
    """
    state = self.nothing_known()
    num_rows = len(data.action[b])
    for t in range(num_rows):
      if data.start_of_episode[b, t]:
        state = self.nothing_known()
      world, last_actions, visible = (
        data.observation[key][b, t] for key in ('world', 'actions', 'visible')
      )
      present = self.present(world, last_actions, state[0])
      actions = np.full_like(last_actions, -1)
      if t + 1 < num_rows:
        actions = data.observation['actions'][b, t + 1]
      asked, state = self.next(world, actions, state)
      yield Row(asked, present, actions, visible)


def influence(
  model: Model,
  own_index: int,
  kinds: Sequence[Sequence[str]],
  data: sample_oracle.Step,
  policy_logits: np.ndarray | None,
  measure: str,
  burn_in_length: int = 0,
) -> np.ndarray:
  """Returns the influence of every row, float [B, T].

  Args:
    model: of the others.
    own_index: which agent the inner one is.
    kinds: what the rows hold, [B][T].
    data: arrays [B, T, ...].
    policy_logits: [B, T, K]; None: the model's own of the agent.
    measure: 'kl', 'jsd' or 'pmi'.
    burn_in_length: rows that only warm up.
  """
  found = np.zeros(data.reward.shape)
  for b, row_kinds in enumerate(kinds):
    masks = sample_oracle.masks(row_kinds, burn_in_length)
    rows = list(model.unrolled(data, b))
    for t, row in enumerate(rows):
      if not (masks.predicts if measure == 'pmi' else masks.influences)[t]:
        continue
      own = (
        row.present[own_index]
        if policy_logits is None
        else (policy_logits[b, t])
      )
      found[b, t], _ = influence_oracle.influence_reward(
        row.asked,
        own,
        row.actions[own_index],
        measure=measure,
        others_actions=np.delete(rows[t + 1].actions, own_index),
        mask=np.delete(row.visible, own_index),
      )
  return found


def losses(
  model: Model,
  own_index: int,
  kinds: Sequence[Sequence[str]],
  data: sample_oracle.Step,
  only_visible: bool,
  burn_in_length: int,
) -> tuple[float, float, float]:
  """Returns the MOA's loss and accuracy, and the loss of the self-model.

  Args:
    model: of the others.
    own_index: which agent the inner one is.
    kinds: what the rows hold, [B][T].
    data: arrays [B, T, ...].
    only_visible: whether only those in view count.
    burn_in_length: rows that only warm up.
  """
  columns, own_losses = [], []
  for b, row_kinds in enumerate(kinds):
    masks = sample_oracle.masks(row_kinds, burn_in_length)
    rows = list(model.unrolled(data, b))
    columns.append(
      (
        np.stack([row.asked[max(row.actions[own_index], 0)] for row in rows]),
        np.stack([np.delete(row.actions, own_index) for row in rows]),
        np.stack([np.delete(row.visible, own_index) for row in rows]),
        masks.predicts,
      )
    )
    for row, is_step in zip(rows, masks.is_step, strict=True):
      if is_step:
        p = influence_oracle.softmax(row.present[own_index])[
          row.actions[own_index]
        ]
        own_losses.append(-np.log(p))
  logits, actions, visible, predicts = (
    np.stack(x, axis=1) for x in zip(*columns, strict=True)
  )
  loss, accuracy = influence_oracle.moa_loss(
    logits,
    actions,
    mask=visible if only_visible else None,
    episode_mask=predicts,
  )
  return loss, accuracy, float(np.mean(own_losses))
