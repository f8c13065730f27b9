"""Slow, second implementations in NumPy, to hold the fast ones against.

They work in float64 on probabilities rather than log-probabilities, with a loop
for every axis and every sum, and share no code with what they check. Letters
and formulas are those of `influence_acme.ops`.
"""

from typing import Any

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
  """Returns the probabilities, float64 [A], of logits [A]."""
  weights = np.exp(np.asarray(logits, np.float64) - np.max(logits))
  return weights / np.sum(weights)


def counterfactual_marginal(
  conditional_logits: np.ndarray, policy_logits: np.ndarray
) -> np.ndarray:
  """Averages the others' policies over my own choices.

  Args:
    conditional_logits: float [..., K, J, A].
    policy_logits: float [..., K].

  Returns:
    Probabilities (not their logarithms), float64 [..., J, A].
  """
  *batch, num_choices, num_others, num_actions = conditional_logits.shape
  marginal = np.zeros((*batch, num_others, num_actions))
  for at in np.ndindex(*batch, num_others):
    b, j = at[:-1], at[-1]
    policy = softmax(policy_logits[b])
    for k in range(num_choices):
      conditional = softmax(conditional_logits[b][k, j])
      for a in range(num_actions):
        marginal[at][a] += policy[k] * conditional[a]
  return marginal


def influence_reward(
  conditional_logits: np.ndarray,
  policy_logits: np.ndarray,
  actions: np.ndarray,
  *,
  measure: str = 'kl',
  others_actions: Any = None,
  mask: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
  """Measures my influence on the others.

  Args:
    conditional_logits: float [..., K, J, A].
    policy_logits: float [..., K].
    actions: int [...].
    measure: 'kl', 'jsd' or 'pmi'.
    others_actions: int [..., J], for 'pmi'.
    mask: bool [..., J], or None for everyone.

  Returns:
    The reward, float64 [...], and its parts, float64 [..., J], in nats.
  """
  marginals = counterfactual_marginal(conditional_logits, policy_logits)
  per_agent = np.zeros(marginals.shape[:-1])
  for at in np.ndindex(*per_agent.shape):
    if mask is not None and not mask[at]:
      continue
    b, j = at[:-1], at[-1]
    p = softmax(conditional_logits[b][actions[b], j])
    q = marginals[at]
    if measure == 'kl':
      per_agent[at] = _kl(p, q)
    elif measure == 'jsd':
      per_agent[at] = _kl(p, (p + q) / 2) / 2 + _kl(q, (p + q) / 2) / 2
    elif measure == 'pmi':
      a = others_actions[at]
      per_agent[at] = 0 if p[a] == q[a] else np.log(p[a]) - np.log(q[a])
    else:
      raise ValueError(f'Unknown measure {measure!r}.')
  reward = np.zeros(per_agent.shape[:-1])
  for at in np.ndindex(*per_agent.shape):
    reward[at[:-1]] += per_agent[at]
  return reward, per_agent


def moa_loss(
  logits: np.ndarray,
  actions: np.ndarray,
  *,
  mask: Any = None,
  episode_mask: Any = None,
) -> tuple[float, float]:
  """Scores predictions of what the others do in the next row.

  Args:
    logits: float [T, ..., J, A].
    actions: int [T, ..., J].
    mask: [T, ..., J], or None for everyone.
    episode_mask: [T, ...], or None for one long episode.

  Returns:
    The mean cross-entropy in nats, and the accuracy.
  """
  loss = hits = total = 0.0
  for at in np.ndindex(*actions.shape):
    t, following = at[0], (at[0] + 1, *at[1:])
    weight = 1.0
    if mask is not None:
      weight *= mask[at]
    if episode_mask is not None:
      weight *= episode_mask[at[:-1]]
    if t == len(actions) - 1 or weight == 0:
      continue
    action = actions[following]
    loss -= weight * np.log(softmax(logits[at])[action])
    hits += weight * (np.argmax(logits[at]) == action)
    total += weight
  return loss / max(total, 1), hits / max(total, 1)


def episode_masks(start_of_episode: np.ndarray) -> np.ndarray:
  """Finds the pairs of rows in which the second answers to the first.

  Args:
    start_of_episode: bool [T].

  Returns:
    float64 [T], 1 where rows t and t + 1 are steps of one episode, and both
    are known to be.
  """
  num_rows = len(start_of_episode)
  episode, episodes = 0, []
  for start in start_of_episode:
    episode += bool(start)
    episodes.append(episode)
  mask = np.zeros(num_rows)
  for t in range(num_rows - 2):
    # A step has a row of its own episode after it; a last observation has not.
    mask[t] = episodes[t] == episodes[t + 1] == episodes[t + 2]
  return mask


def _kl(p: np.ndarray, q: np.ndarray) -> float:
  """KL divergence of probabilities [A], in nats."""
  total = 0.0
  for i in range(len(p)):
    if p[i] != 0:
      total += p[i] * (np.log(p[i]) - np.log(q[i]))
  return total
