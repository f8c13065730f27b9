"""Finds the steps of an episode at which agents influenced others most."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Peak:
  """Records a step in which one agent influences another.

  Attributes:
    step: t, counted from 0.
    influencer: who did something at t.
    influenced: whose choice it changed.
    influence: in nats.
  """

  step: int
  influencer: int
  influenced: int
  influence: float


def find(
  influence: np.ndarray, count: int, apart: int, at_least: float = 0.0
) -> list[Peak]:
  """Finds the peaks of influence.

  A step's influence is that of the pair with the most. A peak has more than
  the step before it and no less than the one after it; of two that lie too
  close the lesser one is left out, or the later one of equals.

  Args:
    influence: float [T, N, N], nats, of the row's agent on the column's; the
      diagonal is NaN.
    count: how many peaks to find, at most.
    apart: how many steps lie between any two of them, at least.
    at_least: in nats; what is less is noise.

  Returns:
    The peaks, the first one first; none without influence.
  """
  num_steps, num_agents = influence.shape[:2]
  if num_steps == 0 or num_agents < 2:
    return []
  pairs = np.nan_to_num(influence).reshape(num_steps, -1)  # [T, N * N]
  pair, strength = pairs.argmax(axis=1), pairs.max(axis=1)  # [T]
  before = np.concatenate([[0.0], strength[:-1]])
  after = np.concatenate([strength[1:], [0.0]])
  is_peak = (strength > before) & (strength >= after) & (strength >= at_least)
  found: list[Peak] = []
  for step in np.argsort(-strength, kind='stable'):
    if len(found) == count:
      break
    if is_peak[step] and all(abs(step - m.step) >= apart for m in found):
      influencer, influenced = divmod(int(pair[step]), num_agents)
      found.append(
        Peak(int(step), influencer, influenced, float(strength[step]))
      )
  return sorted(found, key=lambda peak: peak.step)
