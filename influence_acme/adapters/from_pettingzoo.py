"""Adapts environments of PettingZoo's parallel API to multi-agent dm_envs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pettingzoo

from influence_acme.adapters import base, spaces
from influence_acme.adapters import pettingzoo_checks as checks_lib

# The return values of the parallel API's functions.
_RESET = ('observations', 'infos')
_STEP = ('observations', 'rewards', 'terminations', 'truncations', 'infos')


class PettingZooEnvironment(base.AdaptedEnvironment):
  """Plays an environment of PettingZoo's parallel API through a dm_env.

  Its agents must observe pixels or a vector, have discrete actions, and stay
  from an episode's beginning to its end, since the discount is one number for
  all of them. With `keep_dead` agents that are terminated before the others
  stay, masked: see `alive`.

  An episode ends with discount 0 if it was terminated, and with discount 1 if
  it was only truncated, as by a time limit. A missing agent, or an observation
  outside of its space, raises a ValueError.
  """

  def __init__(
    self,
    environment: pettingzoo.ParallelEnv,
    seed: int = 0,
    *,
    keep_dead: bool = False,
  ):
    """Initialises the environment.

    Args:
      environment: has `possible_agents`, strings. All actions are Discrete,
        observations are a Box of uint8 [H, W, C] or float32 [D], which becomes
        'world', or a Dict with such a 'world'.
      seed: given to the first reset.
      keep_dead: whether agents that are terminated stay until the others are,
        too, or are truncated: with reward 0, and zeros to observe.

    Raises:
      ValueError: agents, actions or observations are of another kind.
    """
    agents = checks_lib.check_agents(
      getattr(environment, 'possible_agents', None)
    )
    self._spaces = {
      a: checks_lib.observation_spaces(environment.observation_space(a), a)
      for a in agents
    }
    super().__init__(
      {
        a: checks_lib.action_spec(environment.action_space(a), a)
        for a in agents
      },
      {
        a: {name: spaces.to_spec(part, name) for name, part in own.items()}
        for a, own in self._spaces.items()
      },
    )
    self._environment = environment
    self._seed: int | None = seed
    self._keep_dead = keep_dead
    self._alive = np.ones(len(agents), bool)
    # What the dead observe.
    self._blank = {
      a: {name: spaces.nearest_to_zero(part) for name, part in own.items()}
      for a, own in self._spaces.items()
    }

  @property
  def render(self) -> Callable[[], np.ndarray]:
    """Draws the environment; films of episodes use it.

    Only environments that were made with render_mode='rgb_array' have it.
    """
    mode = getattr(self._environment, 'render_mode', None)
    if mode != 'rgb_array':
      raise AttributeError(
        f"render_mode is {mode!r}: make the environment with 'rgb_array'."
      )
    return self._environment.render  # type: ignore[no-any-return]

  @property
  def alive(self) -> Callable[[], np.ndarray]:
    """Returns bool [N], True for agents that have not been terminated.

    Wrappers show it to the agents, and learners mask by it. Only environments
    that keep the dead have it.
    """
    if not self._keep_dead:
      raise AttributeError('All agents stay: keep_dead is False.')
    return self._alive.copy

  def close(self) -> None:
    """Closes the wrapped environment."""
    self._environment.close()

  def _start(self) -> dict[str, dict[str, np.ndarray]]:
    """Starts an episode; all agents must be present."""
    seed, self._seed = self._seed, None
    result = self._environment.reset(seed=seed)
    observations, _ = checks_lib.check_returned(result, 'reset', _RESET)
    self._check_present(observations, 'is not there at the beginning')
    self._alive[:] = True
    return self._observe(observations)

  def _play(self, actions: dict[str, int]) -> base.AdaptedStep:
    """Plays one step; the living stay, or end for the same reason."""
    living = self._living()
    result = self._environment.step({a: actions[a] for a in living})
    observations, rewards, terminations, truncations, _ = (
      checks_lib.check_returned(result, 'step', _STEP)
    )
    if self._keep_dead:
      self._check_flags(living, terminations, 'terminated')
      died = [a for a in living if terminations[a]]
      dead = [a for a in self.agent_ids if a not in living]
      observations = {
        **{a: self._blank[a] for a in died},
        **observations,
        **{a: self._blank[a] for a in dead},
      }
      rewards = {**rewards, **dict.fromkeys(dead, 0.0)}
      self._alive &= [a not in died for a in self.agent_ids]
      living = self._living()
    elif not any(agent_id in observations for agent_id in self.agent_ids):
      raise ValueError(
        'step() returned no observations: it must return those of all agents, '
        'in the last step of an episode too.'
      )
    self._check_present(
      observations, 'left before the others, or skipped a step'
    )
    is_terminated = not living or self._all_or_none(
      living, terminations, 'terminated'
    )
    is_truncated = self._all_or_none(living, truncations, 'truncated')
    return base.AdaptedStep(
      rewards,
      self._observe(observations),
      is_last=is_terminated or is_truncated,
      discount=float(not is_terminated),
    )

  def _living(self) -> list[str]:
    """Returns the agents that are alive, in order."""
    return [
      a
      for a, is_alive in zip(self.agent_ids, self._alive, strict=True)
      if is_alive
    ]

  def _check_present(self, observations: Mapping[str, Any], what: str) -> None:
    for agent_id in self.agent_ids:
      if agent_id not in observations:
        raise ValueError(
          f'Agent {agent_id!r} {what}: {checks_lib.ALL_TOGETHER}'
        )

  def _check_flags(
    self, agents: list[str], flags: Mapping[str, bool], what: str
  ) -> None:
    for agent_id in agents:
      if agent_id not in flags:
        raise ValueError(
          f'step() did not say whether agent {agent_id!r} is {what}: it must '
          'do so for all agents.'
        )

  def _all_or_none(
    self, agents: list[str], flags: Mapping[str, bool], what: str
  ) -> bool:
    """Returns a flag that must be equal for some agents."""
    self._check_flags(agents, flags, what)
    true = [a for a in agents if flags[a]]
    false = [a for a in agents if a not in true]
    if true and false:
      raise ValueError(
        f'Agent {true[0]!r} is {what} and {false[0]!r} is not: '
        f'{checks_lib.ALL_TOGETHER}'
      )
    return bool(true)

  def _observe(
    self, observations: Mapping[str, Any]
  ) -> dict[str, dict[str, np.ndarray]]:
    """Returns copies of everyone's observations."""
    observed = {}
    for agent_id, parts in self._spaces.items():
      own = observations[agent_id]
      if not isinstance(own, Mapping):
        own = {checks_lib.WORLD: own}
      missing = [name for name in parts if name not in own]
      if missing:
        raise ValueError(
          f'Agent {agent_id!r} observes {sorted(own)}, without {missing[0]!r}: '
          f'its space has {sorted(parts)}.'
        )
      observed[agent_id] = {
        name: spaces.to_value(space, own[name], f'{name!r} of {agent_id!r}')
        for name, space in parts.items()
      }
    return observed
