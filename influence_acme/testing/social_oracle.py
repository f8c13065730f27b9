"""Slow, second implementations of social rewards and measures, in NumPy.

They work in float64, entry by entry, and share no code with what they check.
Letters and formulas are those of `influence_acme.ops`.
"""

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
