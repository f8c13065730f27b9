"""Slow, second implementations of social rewards and measures, in NumPy.

They work in float64, entry by entry, and share no code with what they check.
Letters and formulas are those of `influence_acme.ops`.
"""

import collections
import math
from typing import Any

import numpy as np


def prosocial_reward(rewards: np.ndarray, eta: float) -> np.ndarray:
  """Returns the agents' rewards, float64 [N], of rewards [N]."""
  shaped = []
  for k in range(len(rewards)):
    others = [float(rewards[i]) for i in range(len(rewards)) if i != k]
    shaped.append(float(rewards[k]) + eta * sum(others))
  return np.array(shaped)


def inequity_averse_rewards(
  rewards: np.ndarray, *, alpha: float, beta: float, gamma: float, lam: float
) -> np.ndarray:
  """Shapes the rewards of one whole episode.

  Args:
    rewards: float [T, N].
    alpha: the weight of being behind.
    beta: the weight of being ahead.
    gamma: the discount.
    lam: how slowly rewards are forgotten.

  Returns:
    float64 [T, N].
  """
  num_steps, num_agents = rewards.shape
  shaped = np.array(rewards, np.float64)
  for t in range(num_steps):
    # Not step by step: every past reward with the weight that it has by now.
    smoothed = [
      sum((gamma * lam) ** (t - s) * float(rewards[s, i]) for s in range(t + 1))
      for i in range(num_agents)
    ]
    for i in range(num_agents):
      for j in range(num_agents):
        if smoothed[j] > smoothed[i]:
          cost = alpha * (smoothed[j] - smoothed[i])
        else:
          cost = beta * (smoothed[i] - smoothed[j])
        shaped[t, i] -= cost / max(num_agents - 1, 1)
  return shaped


def gini(returns: np.ndarray) -> float:
  """Returns the Gini coefficient of [N], by ranks instead of pairs.

  Args:
    returns: float [N].

  Returns:
    0 if all are the same, NaN if others sum to nothing or less.
  """
  ordered = sorted(float(x) for x in returns)
  if ordered[0] == ordered[-1]:
    return 0.0
  if sum(ordered) <= 0:
    return math.nan
  count = len(ordered)
  ranked = sum((2 * i - count - 1) * x for i, x in enumerate(ordered, start=1))
  return ranked / (count * sum(ordered))


def sustainability(rewards: np.ndarray) -> float:
  """Returns when positive rewards [T, N] come, NaN if none ever does."""
  times = []
  for agent_rewards in rewards.T:
    paid = [t for t, reward in enumerate(agent_rewards) if reward > 0]
    if paid:
      times.append(sum(paid) / len(paid))
  return sum(times) / len(times) if times else math.nan


def speaker_consistency(
  messages: np.ndarray,
  actions: np.ndarray,
  *,
  num_symbols: int,
  num_actions: int,
) -> float:
  """Scores how far messages and actions, int [T, N], determine each other.

  Args:
    messages: int [T, N], -1 for none.
    actions: int [T, N], -1 for none.
    num_symbols: M.
    num_actions: A.

  Returns:
    The score, 0 if nobody says and does something in one row.
  """
  scores = []
  for k in range(messages.shape[1]):
    pairs = _pairs(messages[:, k], actions[:, k])
    if not pairs:
      continue
    halves = []
    for pairs_of_one, size in (
      (pairs, num_actions),
      ([pair[::-1] for pair in pairs], num_symbols),
    ):
      terms = []
      for x in {x for x, _ in pairs_of_one}:
        answers = [y for z, y in pairs_of_one if z == x]
        terms.append(1 - _entropy(answers) / math.log(size))
      halves.append(sum(terms) / len(terms))
    scores.append(sum(halves) / 2)
  return sum(scores) / len(scores) if scores else 0.0


def instantaneous_coordination(
  sources: np.ndarray, targets: np.ndarray, mask: Any = None
) -> np.ndarray:
  """Finds what each agent at t tells of each other at t + 1.

  Args:
    sources: int [T, N], -1 for none.
    targets: int [T, N], -1 for none.
    mask: bool [T-1, N], or None for all steps.

  Returns:
    Mutual information, H(X) + H(Y) - H(X, Y), float64 [N, N], in nats.
  """
  num_rows, num_agents = sources.shape
  information = np.zeros((num_agents, num_agents))
  for k, j in np.ndindex(num_agents, num_agents):
    rows = [t for t in range(num_rows - 1) if mask is None or mask[t, k]]
    pairs = _pairs(
      [sources[t, k] for t in rows], [targets[t + 1, j] for t in rows]
    )
    if k != j and pairs:
      xs, ys = zip(*pairs, strict=True)
      information[k, j] = _entropy(xs) + _entropy(ys) - _entropy(pairs)
  return information


def _pairs(first: Any, second: Any) -> list[tuple[int, int]]:
  """Returns the pairs that have both members."""
  pairs = zip(first, second, strict=True)
  return [(int(x), int(y)) for x, y in pairs if x != -1 and y != -1]


def _entropy(values: Any) -> float:
  """Entropy in nats of how often values, of any kind, occur."""
  total = len(values)
  counts = collections.Counter(values).values()
  return -sum(n / total * math.log(n / total) for n in counts)


def calibration_error(
  logits: np.ndarray, actions: np.ndarray, weight: np.ndarray, num_bins: int
) -> float:
  """Returns how far confidence and accuracy are apart, in the mean.

  Args:
    logits: float [..., A].
    actions: int [...].
    weight: [...].
    num_bins: of equal width.
  """
  members: dict[int, list[tuple[float, float, float]]] = {}
  for at in np.ndindex(*actions.shape):
    odds = np.exp(logits[at].astype(np.float64) - logits[at].max())
    confidence = float(odds.max() / odds.sum())
    hit = float(np.argmax(logits[at]) == actions[at])
    place = math.ceil(confidence * num_bins)
    members.setdefault(place, []).append((float(weight[at]), confidence, hit))
  gap = 0.0
  for entries in members.values():
    gap += abs(sum(w * (c - h) for w, c, h in entries))
  return gap / max(float(weight.sum()), 1e-12)
