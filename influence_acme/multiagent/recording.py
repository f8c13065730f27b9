"""Records an episode's steps, and computes the influence between its agents.

    recording = RecordingAdder(InfluenceAdder(...))
    actor = make_actor(recording)
    loop = EnvironmentLoop(
      environment, actor, observers=[InfluenceMatrixObserver(recording, ids)]
    )

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

from collections.abc import Sequence
from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders

from influence_acme.adders import wrapper
from influence_acme.metrics import episode
from influence_acme.multiagent import observers
from influence_acme.system import influence_matrix
from influence_acme.system import types as system_types


class _Nowhere(adders.Adder):
  """Ignores all calls."""

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    pass

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    pass

  def reset(self, timeout_ms: int | None = None) -> None:
    pass


class RecordingAdder(wrapper.AdderWrapper):
  """Keeps the steps of the current episode in memory, and forwards them.

  Attributes:
    actions: T of them, int32 [N] each, or dicts of such.
    extras: T of them, as passed by the actor.
  """

  def __init__(self, adder: adders.Adder | None = None):
    """Starts without any steps.

    Args:
      adder: gets all calls unchanged: an `InfluenceAdder`, as that takes the
        influence inputs out of the extras. None to forward nothing.
    """
    super().__init__(_Nowhere() if adder is None else adder)
    self._forget()

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode, and drops the last one."""
    self._forget()
    super().add_first(timestep)

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    """Stores one step."""
    self.actions.append(action)
    self.extras.append(extras)
    super().add(action, next_timestep, extras)

  def reset(self, timeout_ms: int | None = None) -> None:
    """Drops all steps."""
    self._forget()
    super().reset(timeout_ms)

  def inputs(self) -> dict[str, dict[str, np.ndarray]]:
    """Returns the influence inputs by experiment, [T, N, ...] each."""
    inputs = [
      extras['influence_inputs']
      for extras in self.extras
      if (extras or {}).get('influence_inputs')
    ]
    return jax.tree_util.tree_map(_stack, *inputs) if inputs else {}

  def choices(self) -> Any:
    """Returns int32 [T, N], or a dict of such."""
    return jax.tree_util.tree_map(_stack, *self.actions)

  def _forget(self) -> None:
    self.actions: list[Any] = []
    self.extras: list[Any] = []


class InfluenceMatrixObserver(observers.AdderObserver):
  """Measures the influence of each agent on each other, by KL."""

  def __init__(self, recording: RecordingAdder, agent_ids: Sequence[str]):
    """Makes the observer.

    Args:
      recording: the actor's adder.
      agent_ids: N names, in the order of the actor's arrays.
    """
    self._recording = recording
    self._agent_ids = tuple(agent_ids)

  def get_metrics(self) -> dict[str, dict[str, dict[str, float]]]:
    """Returns 'influence_matrix': influencer -> influencee -> nats per step.

    They are means over the episode; empty for agents without influence inputs.
    """
    found = influence(self._recording)
    if found is None:
      return {}
    matrix = episode.of_pairs(found.mean(axis=0), self._agent_ids)
    return {'influence_matrix': matrix}


def influence(adder: RecordingAdder) -> np.ndarray | None:
  """Computes who influenced whom in a recorded episode.

  Args:
    adder: has the episode.

  Returns:
    float32 [T, N, N], nats, by KL: of the row's agent on the column's; the
    diagonal is NaN. None if the agents have no influence inputs.
  """
  inputs = adder.inputs()
  if not inputs:
    return None
  # Agents first, time as a batch: [N, T, ...].
  steps = jax.tree_util.tree_map(
    lambda x: np.moveaxis(x, 1, 0),
    system_types.InfluenceStep(adder.choices(), inputs),
  )
  matrix = influence_matrix.influence_matrix(steps, _following(steps))
  return np.moveaxis(np.asarray(matrix), 1, 0)


def _following(steps: system_types.InfluenceStep) -> system_types.InfluenceStep:
  """Returns the next step of each, [N, T, ...]; nobody replies to the last."""
  following = jax.tree_util.tree_map(
    lambda x: np.roll(x, -1, axis=1), steps.inputs
  )
  for inputs in following.values():
    inputs['mask'][:, -1] = False
  return steps._replace(inputs=following)


def _stack(*arrays: Any) -> np.ndarray:
  return np.stack(arrays)
