"""What an actor knows of an episode, kept step by step and then judged.

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders

from influence_acme import ops, types
from influence_acme.multiagent import coordination, measures, observers, policy
from influence_acme.programs import loggers


class RecordingAdder(adders.Adder):
  """Keeps the steps of the current episode in memory.

  Attributes:
    actions: T of them, int32 [N] each, or dicts of such.
    extras: T of them, as the actor gave them.
  """

  def __init__(self) -> None:
    self.reset()

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Begins an episode; the last one is forgotten."""
    del timestep
    self.reset()

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    """Keeps one step."""
    del next_timestep
    self.actions.append(action)
    self.extras.append(extras)

  def reset(self) -> None:
    """Forgets all steps."""
    self.actions: list[Any] = []
    self.extras: list[Any] = []

  def inputs(self) -> dict[str, dict[str, np.ndarray]]:
    """Returns what influence is judged by, by experiment: [T, N, ...] each."""
    inputs = [
      extras['influence_inputs']
      for extras in self.extras
      if (extras or {}).get('influence_inputs')
    ]
    return jax.tree_util.tree_map(_stack, *inputs) if inputs else {}

  def choices(self) -> Any:
    """Returns int32 [T, N], or a dict of such."""
    return jax.tree_util.tree_map(_stack, *self.actions)


def influence(adder: RecordingAdder, num_agents: int) -> np.ndarray | None:
  """Computes who influenced whom in a recorded episode.

  Args:
    adder: has the episode.
    num_agents: N.

  Returns:
    float32 [T, N, N], nats, by KL: of the row's agent on the column's; the
    diagonal is NaN. None if the agents measure no influence.
  """
  inputs, choices = adder.inputs(), adder.choices()
  if not inputs:
    return None
  actions = policy.actions_of(choices)
  per_agent = np.zeros((*actions.shape, num_agents - 1), np.float32)
  for experiment, found in inputs.items():  # An agent is judged in one of them.
    made, answers, mask = actions, found['conditional_logits'], found['mask']
    if experiment == 'speech':
      # Messages are answered one step late, and nobody answers to the last.
      made = choices['message']
      answers = np.roll(answers, -1, axis=0)
      mask[-1] = False
    output = ops.influence_reward(
      answers,  # [T, N, K, J, A]
      found['policy_logits'],  # [T, N, K]
      made,  # [T, N]
      mask=mask,  # [T, N, J]
    )
    per_agent += np.asarray(output.per_agent)
  matrix = np.full((*actions.shape, num_agents), np.nan, np.float32)
  for i in range(num_agents):
    matrix[:, i, types.others(i, num_agents)] = per_agent[:, i]
  return matrix


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
    influences: float32 [T, N, N], of `influence`.

  Returns:
    Name in a run's logs -> value.
  """
  events: dict[str, np.ndarray] = getattr(environment, 'events', dict)()
  totals = measures.make_totals(rewards, events)
  measured = measures.of_group(totals, environment.agent_ids)
  on_all = None
  if influences is not None:
    on_all = np.nansum(influences, axis=-1)  # [T, N]
    measured |= measures.of_influence(on_all)
  num_choices = observers.num_choices(environment.action_spec())
  if num_choices[0]:
    choices = coordination.make_choices(chosen, *num_choices)
    measured |= coordination.of_choices(choices, on_all)
    measured |= coordination.of_scrambled(choices, on_all)
  flat = loggers.flatten(measured, loggers.STEPS_KEY)
  return {k: float(v) for k, v in flat.items() if k != loggers.STEPS_KEY}


def foresight(
  adder: RecordingAdder, num_agents: int
) -> tuple[float, ops.Calibration] | None:
  """Compares what models of others foresaw with what the others did.

  Args:
    adder: has an episode of agents with models of each other's next actions.
    num_agents: N.

  Returns:
    The accuracy, and the calibration, over all agents and the steps in which
    they had the other in view; None if that was never so.
  """
  inputs = adder.inputs().get('models')
  if inputs is None:
    return None
  actions = policy.actions_of(adder.choices())
  own = actions[:-1, :, None, None, None]
  predicted = np.take_along_axis(
    inputs['conditional_logits'][:-1], own, axis=2
  )[:, :, 0]  # [T - 1, N, J, A], of what each did do.
  others = np.stack([types.others(i, num_agents) for i in range(num_agents)])
  taken = actions[1:][:, others]  # [T - 1, N, J]
  seen = inputs['mask'][:-1]
  if not seen.any():
    return None
  hits = predicted.argmax(axis=-1) == taken
  return float(hits[seen].mean()), ops.calibration(
    predicted, taken, weight=seen
  )


def _stack(*arrays: Any) -> np.ndarray:
  return np.stack(arrays)
