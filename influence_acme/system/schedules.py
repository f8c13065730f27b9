"""Computes schedules as functions of global environment steps, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from influence_acme.system import config as config_lib
from influence_acme.system import update, variants

# Names of environment steps in counts: of this library, and of Acme's layouts.
_STEPS_KEYS = ('environment_steps', 'actor_steps')


def environment_steps(counts: Mapping[str, int | float] | None) -> int:
  """Returns the global environment steps, the time of every schedule.

  Args:
    counts: of an Acme counter, by name; None if there is no counter.

  Returns:
    The steps; 0 before anyone has counted.

  Raises:
    ValueError: there is no counter, or environment loops count under another
      name, so that the schedules would stand still.
  """
  advice = (
    "Give learner and environment loops children of one counter, the loops' "
    "as Counter(counter, 'actor'): schedules read its "
    f'{" or ".join(_STEPS_KEYS)}.'
  )
  if counts is None:
    raise ValueError(f'counter is None, and schedules need one. {advice}')
  found = [int(counts[name]) for name in _STEPS_KEYS if name in counts]
  played = {name for name in counts if name.endswith('episodes')}
  if not found and played - {'evaluator_episodes'}:
    raise ValueError(f'counter counts {sorted(counts)}. {advice}')
  return max(found, default=0)


def influence_weight(
  config: config_lib.InfluenceConfig, environment_steps: int
) -> float | np.ndarray:
  """Returns the weight of influence; it rises linearly from 0 to beta.

  Args:
    config: with beta, and the steps over which it rises.
    environment_steps: global ones.

  Returns:
    w(t), units of reward per nat; float64 [N], if the agents' weights differ.
  """
  rewarded = variants.has(config.variant, rewarded=True)
  span = [0, config.influence_curriculum_steps]
  share = np.interp(float(environment_steps), span, [0.0, 1.0])
  weight = np.where(rewarded, config.influence_weight, 0.0) * share
  return weight if weight.ndim else float(weight)


def rates(
  config: config_lib.InfluenceConfig, environment_steps: int
) -> update.Rates:
  """Returns the learning rate and the entropy cost.

  Args:
    config: with their starts, ends and lengths.
    environment_steps: global ones.
  """

  def linear(start: float, end: float, num_steps: int) -> Any:
    return np.interp(float(environment_steps), [0, num_steps], [start, end])

  entropy_start = config.entropy_cost_start
  return update.Rates(
    learning_rate=linear(
      config.learning_rate, config.learning_rate_end, config.learning_rate_steps
    ),
    entropy_cost=linear(
      config.entropy_cost if entropy_start is None else entropy_start,
      config.entropy_cost,
      config.entropy_cost_steps,
    ),
  )


def are_constant(config: config_lib.InfluenceConfig) -> bool:
  """Returns whether no scheduled value depends on environment steps."""
  start, end = (
    (influence_weight(config, steps), *rates(config, steps))
    for steps in (1, 2**62)  # A curriculum takes at least 1 step.
  )
  return all(np.array_equal(x, y) for x, y in zip(start, end, strict=True))
