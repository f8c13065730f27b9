"""Adds everyone's last actions, and the agents in view, to observations.

```
 o_t --pi--> a_t --environment--> o_{t+1}['actions'] = a_t
                                  o_{t+1}['visible'] = agents in view at t+1
                                  o_{t+1}['alive']   = agents alive at t+1
```
"""

from collections.abc import Callable, Mapping
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import checks
from influence_acme.wrappers import base

# Stands for the action of an agent that has not acted in this episode.
NO_ACTION = -1


class OthersActionsWrapper(base.StatefulWrapper):
  """Adds 'actions' and 'visible' to every agent's observation.

  - 'actions': int32 [N], everyone's last actions in the order of `agent_ids`,
    own included; -1 on the first step of an episode.
  - 'visible': bool [N], the agents in this agent's view at this step; the own
    entry is False.

  An environment whose agents may die before an episode's end has `alive()`,
  bool [N], False from the observation that an agent's last step leads to. All
  agents observe that too, as 'alive'; the dead are in nobody's view and have
  nobody in view, and their entries of 'actions' are -1.
  """

  _kept = ('actions',)

  def __init__(
    self,
    environment: Any,
    visible_fn: Callable[[dm_env.TimeStep], np.ndarray] | None = None,
  ):
    """Initialises the wrapper.

    Args:
      environment: a multi-agent `dm_env.Environment` whose actions are scalar
        `DiscreteArray`s and whose observations are dicts.
      visible_fn: gets the wrapped environment's time step and returns bool
        [N, N], the row's agent has the column's in view. Used only if the
        environment has no `visible()`; without either, all see each other.

    Raises:
      ValueError: actions or observations are of another kind, or the
        observations have these entries already.
    """
    super().__init__(environment)
    base.check_extendable(
      environment,
      added=('actions', 'visible', 'alive'),
      advice='Only those can be shown to the others: put wrappers that change '
      'actions, such as MessageChannelWrapper, outside this one.',
    )
    if visible_fn is not None:
      checks.function('visible_fn', visible_fn)
    self._visible_fn = visible_fn
    self._has_visible = hasattr(environment, 'visible')
    self._has_alive = hasattr(environment, 'alive')
    self._num_agents = len(environment.agent_ids)
    self._alive = np.ones(self._num_agents, bool)
    self._actions = self._nobody_acted()

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode, without actions so far."""
    timestep = super().reset()
    self._actions = self._nobody_acted()
    return self._extend(timestep)

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents.

    Args:
      action: agent id -> integer.

    Returns:
      The wrapped environment's time step, its observations extended.
    """
    timestep = super().step(action)
    if timestep.first():  # The step started an episode: there are no actions.
      self._actions = self._nobody_acted()
    else:
      joint = [action[agent_id] for agent_id in self.agent_ids]
      # Those that were dead before the step did not act in it.
      self._actions = np.where(self._alive, joint, NO_ACTION).astype(np.int32)
    return self._extend(timestep)

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns the wrapped environment's spec, with 'actions' and 'visible'."""
    inner = super().observation_spec()
    action_spec = self.action_spec()
    shape = (self._num_agents,)
    highest = max(spec.maximum for spec in action_spec.values())
    added = {
      'actions': specs.BoundedArray(
        shape, np.int32, NO_ACTION, highest, name='actions'
      ),
      'visible': specs.Array(shape, bool, name='visible'),
    }
    if self._has_alive:
      added['alive'] = specs.Array(shape, bool, name='alive')
    return {agent_id: {**inner[agent_id], **added} for agent_id in inner}

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a state of `save` exactly."""
    super().restore(state)
    self._alive = base.alive(self._environment)

  def _nobody_acted(self) -> np.ndarray:
    return np.full(self._num_agents, NO_ACTION, np.int32)

  def _extend(self, timestep: dm_env.TimeStep) -> dm_env.TimeStep:
    """Adds the entries to every agent's observation."""
    self._alive = alive = base.alive(self._environment)
    visible = self._visible(timestep) & alive & alive[:, None]
    of_all = {'alive': alive} if self._has_alive else {}
    observation = {
      agent_id: {
        **timestep.observation[agent_id],
        'actions': self._actions.copy(),
        'visible': visible[i],
        **{name: x.copy() for name, x in of_all.items()},
      }
      for i, agent_id in enumerate(self.agent_ids)
    }
    return timestep._replace(observation=observation)

  def _visible(self, timestep: dm_env.TimeStep) -> np.ndarray:
    """Returns bool [N, N]: row agent sees column agent at this time step."""
    shape = (self._num_agents, self._num_agents)
    if self._has_visible:
      visible = np.array(self._environment.visible(), bool)
    elif self._visible_fn is not None:
      visible = np.array(self._visible_fn(timestep), bool)
    else:
      visible = np.ones(shape, bool)
    if visible.shape != shape:
      raise ValueError(
        f'Visibility has shape {visible.shape}: it must be {shape}, a row for '
        'each agent that looks.'
      )
    np.fill_diagonal(visible, False)
    return visible
