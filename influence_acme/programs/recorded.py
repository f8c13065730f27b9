"""Measures a recorded episode.

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

from typing import Any

import dm_env
import numpy as np

from influence_acme import ops, types
from influence_acme.metrics import coordination, episode
from influence_acme.multiagent import observers, recording
from influence_acme.runs import loggers
from influence_acme.system import types as system_types


def measure(
  rewards: np.ndarray,
  chosen: Any,
  environment: dm_env.Environment,
  influences: np.ndarray | None,
) -> dict[str, float]:
  """Measures a recorded episode as a training run does, and the controls.

  Args:
    rewards: float32 [T, N], the environment's.
    chosen: int32 [T, N], actions; or 'action' and 'message', such arrays.
    environment: after the episode.
    influences: float32 [T, N, N], of `recording.influence`.

  Returns:
    Name in a run's logs -> value.
  """
  events: dict[str, np.ndarray] = getattr(environment, 'events', dict)()
  totals = episode.make_totals(rewards, events)
  measured = episode.of_group(totals, environment.agent_ids)
  on_all = None
  if influences is not None:
    on_all = np.nansum(influences, axis=-1)  # [T, N]
    measured |= episode.of_influence(on_all)
  num_choices = observers.num_choices(environment.action_spec())
  if num_choices[0]:
    choices = coordination.make_choices(chosen, *num_choices)
    measured |= coordination.of_choices(choices, on_all)
    measured |= coordination.of_scrambled(choices, on_all)
  flat = loggers.flatten(measured, loggers.STEPS_KEY)
  return {k: float(v) for k, v in flat.items() if k != loggers.STEPS_KEY}


def foresight(
  adder: recording.RecordingAdder, num_agents: int
) -> tuple[float, ops.Calibration] | None:
  """Returns the MOA's accuracy and calibration on a recorded episode.

  Args:
    adder: has an episode of agents with models of each other's next actions.
    num_agents: N.

  Returns:
    The accuracy, and the calibration, over all agents and the steps in which
    they had the other in view; None if that was never so.
  """
  inputs = adder.inputs().get('moa')
  if inputs is None:
    return None
  actions = system_types.actions_of(adder.choices())
  own = actions[:-1, :, None, None, None]
  predicted = np.take_along_axis(
    inputs['conditional_logits'][:-1], own, axis=2
  )[:, :, 0]  # [T - 1, N, J, A], of what each did do.
  others = types.others_of_all(num_agents)
  taken = actions[1:][:, others]  # [T - 1, N, J]
  seen = inputs['mask'][:-1]
  if not seen.any():
    return None
  hits = predicted.argmax(axis=-1) == taken
  return float(hits[seen].mean()), ops.calibration(
    predicted, taken, weight=seen
  )
