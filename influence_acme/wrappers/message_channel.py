"""Adds a message channel: all agents send a symbol, and all receive them.

```
 o_t --pi--> a_t, actions  --environment--> o_{t+1}
        `--> m_t, messages ---------------> o_{t+1}['messages'] = m_t
```

The wrapped environment does not see the messages: talk is cheap.
"""

from collections.abc import Mapping
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from influence_acme import checks
from influence_acme.environments import actions as actions_lib
from influence_acme.wrappers import base

# Stands for the message of an agent that has not spoken in this episode.
NO_MESSAGE = -1

# The parts of an agent's action.
_PARTS = {'action', 'message'}


class MessageChannelWrapper(base.StatefulWrapper):
  """Adds a message to every action, and 'messages' to every observation.

  - An action becomes `{'action': ..., 'message': ...}`: the wrapped
    environment's action, and an integer in [0, num_symbols).
  - 'messages': int32 [N], everyone's messages of the step before, in the order
    of `agent_ids`, own included; -1 on the first step of an episode, and of the
    dead. All agents receive all messages, in view or not.

  It goes around an `OthersActionsWrapper`, and leaves its 'actions' without
  messages; never inside of one.
  """

  _kept = ('messages', 'reset_next_step')

  def __init__(self, environment: Any, num_symbols: int):
    """Initialises the wrapper.

    Args:
      environment: a new multi-agent `dm_env.Environment` whose actions are
        scalar `DiscreteArray`s and whose observations are dicts.
      num_symbols: number of different messages, at least 1.

    Raises:
      ValueError: num_symbols is below 1, actions or observations are of another
        kind, or the observations have messages already.
    """
    super().__init__(environment)
    checks.integer('num_symbols', num_symbols, 1)
    base.check_extendable(
      environment,
      added=('messages',),
      advice='Messages are added only once, outside all other wrappers of the '
      'multi-agent environment.',
    )
    action_spec = environment.action_spec()
    self._num_symbols = int(num_symbols)
    self._num_actions = {
      agent_id: action_spec[agent_id].num_values
      for agent_id in environment.agent_ids
    }
    message = actions_lib.describe_choice(self._num_symbols, 'message')
    self._valid = {  # Describes the valid actions of an agent.
      agent_id: f"{{'action': {actions_lib.describe_choice(n)}, "
      f"'message': {message}}}"
      for agent_id, n in self._num_actions.items()
    }
    self._messages = self._nobody_spoke()
    self._reset_next_step = True

  def reset(self) -> dm_env.TimeStep:
    """Starts an episode, without messages so far."""
    timestep = super().reset()
    return self._extend(timestep, self._nobody_spoke())

  def step(self, action: Mapping[str, Any]) -> dm_env.TimeStep:
    """Plays one step of all agents, and adds its messages to the observations.

    Args:
      action: agent id -> {'action': integer, 'message': integer}, for every
        agent. Ignored before the first `reset` and after a LAST time step: both
        start an episode.

    Returns:
      The wrapped environment's time step, its observations extended.

    Raises:
      ValueError: an action or a message is missing, unknown, no integer or out
        of range; the episode goes on as if the call had not been made.
    """
    if self._reset_next_step:
      return self.reset()
    actions, messages = self._split(action)
    messages = np.where(base.alive(self._environment), messages, NO_MESSAGE)
    return self._extend(super().step(actions), messages.astype(np.int32))

  def action_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns the wrapped environment's action spec, with 'message' added."""
    inner = super().action_spec()
    message = specs.DiscreteArray(self._num_symbols, np.int32, name='message')
    return {
      agent_id: {'action': inner[agent_id], 'message': message}
      for agent_id in inner
    }

  def observation_spec(self) -> dict[str, dict[str, specs.Array]]:
    """Returns the wrapped environment's observation spec, with 'messages'."""
    inner = super().observation_spec()
    messages = specs.BoundedArray(
      (len(self._valid),),
      np.int32,
      NO_MESSAGE,
      self._num_symbols - 1,
      name='messages',
    )
    return {
      agent_id: {**inner[agent_id], 'messages': messages} for agent_id in inner
    }

  def _nobody_spoke(self) -> np.ndarray:
    return np.full(len(self._valid), NO_MESSAGE, np.int32)

  def _split(self, action: Any) -> tuple[dict[str, Any], np.ndarray]:
    """Checks everything, and returns actions by agent and messages int32 [N].

    All is checked before the wrapped environment steps, since its step could
    not be undone after a bad message.
    """
    actions, messages = {}, []
    ordered = actions_lib.in_order(
      action, tuple(self._valid), self._valid.__getitem__
    )
    for agent_id, own in zip(self._valid, ordered, strict=True):
      if not isinstance(own, Mapping) or own.keys() != _PARTS:
        raise ValueError(
          f'Action of {agent_id!r} is {own!r}: give {self._valid[agent_id]}.'
        )
      move, symbol = own['action'], own['message']
      actions_lib.check_choice(move, self._num_actions[agent_id], agent_id)
      messages.append(
        actions_lib.check_choice(symbol, self._num_symbols, agent_id, 'message')
      )
      actions[agent_id] = move
    return actions, np.array(messages, np.int32)

  def _extend(
    self, timestep: dm_env.TimeStep, messages: np.ndarray
  ) -> dm_env.TimeStep:
    """Stores the messages, and adds them to every agent's observation."""
    self._messages = messages
    self._reset_next_step = timestep.last()
    observation = {
      agent_id: {**timestep.observation[agent_id], 'messages': messages.copy()}
      for agent_id in self._valid
    }
    return timestep._replace(observation=observation)
