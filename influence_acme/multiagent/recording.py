"""Records an episode's steps, and computes the influence between its agents.

    recording = RecordingAdder(InfluenceAdder(...))
    actor = make_actor(recording)
    loop = EnvironmentLoop(
      environment, actor, observers=[InfluenceMatrixObserver(recording, ids)]
    )

Letters: T steps, N agents, J = N - 1 others, K own choices, A others' actions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders

from influence_acme import ops, types
from influence_acme.multiagent import observers
from influence_acme.system import experiments
from influence_acme.system import types as system_types


class RecordingAdder(adders.Adder):
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
    self._adder = adder
    self._forget()

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode, and drops the last one."""
    self._forget()
    if self._adder is not None:
      self._adder.add_first(timestep)

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    """Stores one step."""
    self.actions.append(action)
    self.extras.append(extras)
    if self._adder is not None:
      self._adder.add(action, next_timestep, extras)

  def reset(self) -> None:
    """Drops all steps."""
    self._forget()
    if self._adder is not None:
      self._adder.reset()

  def __getattr__(self, name: str) -> Any:
    """Returns other attributes of the inner adder."""
    if name == '_adder':  # Not initialised, as in unpickling: do not recurse.
      raise AttributeError(name)
    return getattr(self._adder, name)

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
    found = influence(self._recording, len(self._agent_ids))
    if found is None:
      return {}
    mean = found.mean(axis=0)
    matrix = {
      source: {
        listener: float(mean[i, j])
        for j, listener in enumerate(self._agent_ids)
        if i != j
      }
      for i, source in enumerate(self._agent_ids)
    }
    return {'influence_matrix': matrix}


def influence(adder: RecordingAdder, num_agents: int) -> np.ndarray | None:
  """Computes the influence between agents in a recorded episode.

  Args:
    adder: has the episode.
    num_agents: N.

  Returns:
    float32 [T, N, N], nats, by KL: of the row's agent on the column's; the
    diagonal is NaN. None if the agents have no influence inputs.
  """
  inputs, choices = adder.inputs(), adder.choices()
  if not inputs:
    return None
  actions = system_types.actions_of(choices)
  per_agent = np.zeros((*actions.shape, num_agents - 1), np.float32)
  # An agent takes part in one experiment at most.
  for name, found in inputs.items():
    experiment = experiments.EXPERIMENTS[name]
    made, logits, mask = actions, found['conditional_logits'], found['mask']
    if isinstance(choices, Mapping):
      made = choices[experiment.choice]
    if experiment.counterfactual_delay:
      # Known one step late; there are no replies to the last step.
      logits = np.concatenate([logits[1:], np.zeros_like(logits[:1])])
      mask = np.concatenate([mask[1:], np.zeros_like(mask[:1])])
    output = ops.influence_reward(
      logits,  # [T, N, K, J, A]
      found['policy_logits'],  # [T, N, K]
      made,  # [T, N]
      mask=mask,  # [T, N, J]
    )
    per_agent += np.asarray(output.per_agent)
  matrix = np.full((*actions.shape, num_agents), np.nan, np.float32)
  for i in range(num_agents):
    matrix[:, i, types.others(i, num_agents)] = per_agent[:, i]
  return matrix


def _stack(*arrays: Any) -> np.ndarray:
  return np.stack(arrays)
