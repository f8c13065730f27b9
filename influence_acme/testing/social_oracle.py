"""Slow, second implementations of social rewards and measures, in NumPy.

They work in float64, entry by entry, and share no code with what they check.
Letters and formulas are those of `influence_acme.ops`.
"""

import math

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
