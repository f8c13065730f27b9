"""Adapts a multi-agent dm_env to PettingZoo's parallel API."""

from collections.abc import Callable
from typing import Any

import dm_env
import numpy as np
import pettingzoo
from gymnasium import spaces as gymnasium_spaces

from influence_acme.adapters import spaces


class ParallelEnvironment(pettingzoo.ParallelEnv):
  """Plays any multi-agent dm_env through PettingZoo's parallel API.

  All agents stay until the end. An episode with a last discount of 0 is
  terminated, any other truncated, as by a time limit. Observations are not
  changed: they are dicts of arrays, such as {'world': uint8 [H, W, 3]}.
  """

  def __init__(self, environment_factory: Callable[[int], Any], seed: int = 0):
    """Makes an environment, to read its specs.

    Args:
      environment_factory: takes a seed and returns a multi-agent
        `dm_env.Environment`, with `agent_ids`. It is called again for a reset
        with a seed.
      seed: of the episodes until then.
    """
    self.metadata = {'name': 'influence_acme', 'render_modes': ['rgb_array']}
    self.render_mode = 'rgb_array'
    self._environment_factory = environment_factory
    self._environment = environment = environment_factory(seed)
    self.possible_agents = list(environment.agent_ids)
    self.agents: list[str] = []
    # The API wants the same objects each time: they can be seeded.
    self.observation_spaces = self._make_spaces(environment.observation_spec())
    self.action_spaces = self._make_spaces(environment.action_spec())

  def reset(
    self, seed: int | None = None, options: dict[str, Any] | None = None
  ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Starts an episode, also in the middle of one.

    Args:
      seed: of this episode and those after it; None for the next episode of the
        current environment.
      options: ignored.

    Returns:
      Everyone's observation, and empty infos, by agent id.
    """
    del options
    if seed is not None:
      self._environment.close()
      self._environment = self._environment_factory(seed)
    self.agents = list(self.possible_agents)
    return dict(self._environment.reset().observation), self._infos()

  def step(
    self, actions: dict[str, Any]
  ) -> tuple[
    dict[str, Any],
    dict[str, float],
    dict[str, bool],
    dict[str, bool],
    dict[str, dict[str, Any]],
  ]:
    """Plays one step of all agents.

    Args:
      actions: by agent id, for every agent. Ignored once the episode is over,
        or before the first, when there are no agents.

    Returns:
      Observations, rewards, terminations, truncations, and empty infos, each by
      agent id; five empty dicts if there are no agents.

    Raises:
      ValueError: an action is missing, unknown or out of range; the episode
        goes on as if the call had not been made.
    """
    if not self.agents:
      return {}, {}, {}, {}, {}
    timestep: dm_env.TimeStep = self._environment.step(actions)
    is_terminated = timestep.last() and float(timestep.discount) == 0
    is_truncated = timestep.last() and not is_terminated
    agents, infos = self.agents, self._infos()
    if timestep.last():
      self.agents = []
    return (
      dict(timestep.observation),
      {agent: float(timestep.reward[agent]) for agent in agents},
      dict.fromkeys(agents, is_terminated),
      dict.fromkeys(agents, is_truncated),
      infos,
    )

  def render(self) -> np.ndarray:
    """Returns a picture of the current state, uint8 [H', W', 3]."""
    return self._environment.render()

  def close(self) -> None:
    """Closes the environment."""
    self._environment.close()

  def observation_space(self, agent: str) -> gymnasium_spaces.Space:
    """Returns the space of an agent's observations, always the same object."""
    return self.observation_spaces[agent]

  def action_space(self, agent: str) -> gymnasium_spaces.Space:
    """Returns the space of an agent's actions, always the same object."""
    return self.action_spaces[agent]

  def _make_spaces(self, spec: Any) -> dict[str, gymnasium_spaces.Space]:
    return {
      agent: spaces.to_space(spec[agent]) for agent in self.possible_agents
    }

  def _infos(self) -> dict[str, dict[str, Any]]:
    return {agent: {} for agent in self.agents}
