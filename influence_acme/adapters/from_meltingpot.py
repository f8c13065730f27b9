"""Adapts a substrate of Melting Pot to a multi-agent dm_env."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dm_env import specs
from meltingpot import substrate as meltingpot_substrate
from meltingpot.utils.substrates import builder
from meltingpot.utils.substrates.wrappers import (
  discrete_action_wrapper,
  multiplayer_wrapper,
)

from influence_acme import types
from influence_acme.adapters import base

# Melting Pot's names of a player's view, and of a picture of the whole map.
_VIEW = 'RGB'
_WHOLE = 'WORLD.RGB'


class MeltingPotEnvironment(base.AdaptedEnvironment):
  """Plays a substrate of Melting Pot 2.2 through a dm_env.

  An agent observes 'world', its view of 8 x 8 pixels a cell, and the player's
  other observations, such as 'READY_TO_SHOOT', under Melting Pot's names.
  Episodes end at the substrate's LAST step, with discount 0.
  """

  def __init__(
    self, name: str, roles: Sequence[str] | None = None, seed: int = 0
  ):
    """Builds the substrate.

    Args:
      name: of the substrate, such as 'clean_up'.
      roles: one for each agent; the substrate's default if None.
      seed: of the first episode and, through it, of all later ones.

    Raises:
      ValueError: the substrate or a role is unknown, or there are no roles.
    """
    if name not in meltingpot_substrate.SUBSTRATES:
      valid = ', '.join(sorted(meltingpot_substrate.SUBSTRATES))
      raise ValueError(f'Unknown substrate {name!r}: choose from {valid}.')
    config = meltingpot_substrate.get_config(name)
    roles = _check_roles(name, roles, config)
    self._substrate = _build(config, roles, seed)
    self._observations: Sequence[Mapping[str, Any]] = ()
    agents = types.agent_ids(len(roles))
    actions = specs.DiscreteArray(len(config.action_set), np.int32, 'action')
    seen = self._substrate.observation_spec()
    self._seen: dict[str, Any] = dict(zip(agents, seen, strict=True))
    super().__init__(
      dict.fromkeys(agents, actions),
      {a: _observation_spec(own) for a, own in self._seen.items()},
    )

  def render(self) -> np.ndarray:
    """Returns a picture of the current state, uint8 [H', W', 3].

    Raises:
      ValueError: there was no reset yet.
    """
    if not self._observations:
      raise ValueError('There is nothing to draw yet: call reset first.')
    return np.array(self._observations[0][_WHOLE])

  def close(self) -> None:
    """Closes the substrate."""
    self._substrate.close()

  def _start(self) -> dict[str, dict[str, np.ndarray]]:
    """Starts an episode."""
    return self._observe(self._substrate.reset().observation)

  def _play(self, actions: dict[str, int]) -> base.AdaptedStep:
    """Plays one step."""
    timestep = self._substrate.step(list(actions.values()))
    return base.AdaptedStep(
      dict(zip(self.agent_ids, timestep.reward, strict=True)),
      self._observe(timestep.observation),
      is_last=timestep.last(),
      discount=timestep.discount,
    )

  def _observe(
    self, observations: Sequence[Mapping[str, Any]]
  ) -> dict[str, dict[str, np.ndarray]]:
    """Returns copies of everyone's observations, float64 as float32.

    Raises:
      ValueError: one is not what the substrate's own spec says.
    """
    self._observations = observations
    copies: dict[str, dict[str, np.ndarray]] = {}
    for agent_id, own in zip(self.agent_ids, observations, strict=True):
      copies[agent_id] = {}
      for name, spec in self._observation_spec[agent_id].items():
        given = _VIEW if name == 'world' else name
        value, expected = np.asarray(own[given]), self._seen[agent_id][given]
        if (value.shape, value.dtype) != (expected.shape, expected.dtype):
          raise ValueError(
            f'{given!r} of {agent_id!r} is {value.dtype}{list(value.shape)}: '
            f'by its spec it must be {expected.dtype}{list(expected.shape)}, '
            'and is not converted.'
          )
        copies[agent_id][name] = np.array(value, spec.dtype)
    return copies


def _check_roles(
  name: str, roles: Sequence[str] | None, config: Any
) -> tuple[str, ...]:
  """Returns everyone's role."""
  if roles is None:
    roles = config.default_player_roles
  valid = sorted(config.valid_roles)
  if isinstance(roles, str) or not roles or not set(roles) <= set(valid):
    raise ValueError(
      f'roles of {name!r} are {roles!r}: give a sequence with one for each '
      f'agent, each of {", ".join(valid)}.'
    )
  return tuple(roles)


def _build(config: Any, roles: tuple[str, ...], seed: int) -> Any:
  """Builds a substrate as Melting Pot does, but from a seed."""
  settings = config.lab2d_settings_builder(roles=roles, config=config)
  # The seeds of a substrate's episodes are consecutive numbers. Substrates with
  # consecutive seeds must not share most of them.
  (first,) = np.random.SeedSequence(seed).generate_state(1)
  built = multiplayer_wrapper.Wrapper(
    builder.builder(settings, env_seed=int(first)),
    individual_observation_names=config.individual_observation_names,
    global_observation_names=[_WHOLE],
  )
  return discrete_action_wrapper.Wrapper(built, action_table=config.action_set)


def _observation_spec(
  seen: Mapping[str, specs.Array],
) -> dict[str, specs.Array]:
  """Returns the spec of what one agent observes."""
  own = {'world': seen[_VIEW].replace(name='world')}
  for name in sorted(set(seen) - {_VIEW, _WHOLE}):
    spec = seen[name]
    is_float = np.issubdtype(spec.dtype, np.floating)
    own[name] = spec.replace(dtype=np.float32 if is_float else spec.dtype)
  return own
