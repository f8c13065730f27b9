"""Writes and reads the part of `config.json` that policies are made from.

    agent                   fields of `InfluenceConfig`
    networks                sizes: agent ids, actions, symbols, view
    functional_environment  name and fields of one of our environments; null for
                            any other

All runs write it, and so does an export of a policy. Reading it executes no
code.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from dm_env import specs as dm_env_specs

from influence_acme import checks, environments, types
from influence_acme.runs import config_file
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import specs

_T = TypeVar('_T')


@dataclasses.dataclass(frozen=True)
class Sizes:
  """Sizes that networks are made from.

  Attributes:
    agent_ids: N names, in the agents' order.
    num_actions: A.
    num_symbols: M; 0 without messages.
    view: shape of one agent's view, (H, W, C) or (D,).
    view_dtype: of the view, 'uint8' or 'float32'.
  """

  agent_ids: tuple[types.AgentId, ...]
  num_actions: int
  num_symbols: int
  view: tuple[int, ...]
  view_dtype: str


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
  """Everything but parameters that a population's policy is made from.

  Attributes:
    agent: configuration of the agents.
    sizes: of their networks.
    environment: that they were trained in; None if it is not one of
      `environments.names()`.
  """

  agent: config_lib.InfluenceConfig
  sizes: Sizes
  environment: environments.FunctionalEnvironment | None

  def make_networks(self) -> networks_lib.InfluenceNetworks:
    """Makes the population's networks."""
    sizes = self.sizes
    shape = (len(sizes.agent_ids),)
    action: Any = dm_env_specs.DiscreteArray(sizes.num_actions)
    if sizes.num_symbols:
      message = dm_env_specs.DiscreteArray(sizes.num_symbols)
      action = {'action': action, 'message': message}
    observation = {
      'world': dm_env_specs.Array(sizes.view, np.dtype(sizes.view_dtype)),
      'actions': dm_env_specs.Array(shape, np.int32),
      'visible': dm_env_specs.Array(shape, bool),
    }
    environment_spec = specs.EnvironmentSpec(
      observations=dict.fromkeys(sizes.agent_ids, observation),
      actions=dict.fromkeys(sizes.agent_ids, action),
      rewards=dict.fromkeys(
        sizes.agent_ids, dm_env_specs.Array((), np.float32)
      ),
      discounts=dm_env_specs.BoundedArray((), np.float32, 0, 1),
    )
    return networks_lib.from_spec(environment_spec, self.agent)

  def to_settings(self) -> dict[str, Any]:
    """Returns the settings that `read` makes this from, by name."""
    return {
      'agent': self.agent,
      'networks': self.sizes,
      'functional_environment': _describe(self.environment),
    }


def make(
  agent: config_lib.InfluenceConfig,
  networks: networks_lib.InfluenceNetworks,
  environment_spec: Any,
  environment: environments.FunctionalEnvironment | None,
) -> PopulationConfig:
  """Makes the configuration of a population that is to be trained.

  Its networks may be the user's own. The spec is of the wrapped environment;
  that is given by its pure functions, or None if it has none.
  """
  # Networks that do not read it cannot be made anew from the configuration.
  world = environment_spec.observations[networks.agent_ids[0]].get(
    'world', dm_env_specs.Array((), np.float32)
  )
  sizes = Sizes(
    networks.agent_ids,
    networks.num_actions,
    networks.num_symbols,
    tuple(world.shape),
    np.dtype(world.dtype).name,
  )
  return PopulationConfig(agent, sizes, environment)


def read(path: str | os.PathLike[str]) -> PopulationConfig:
  """Reads a `config.json`, of a run's last resume or of an export.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is not the configuration of a population, or of another
      version.
  """
  settings = config_file.last_settings(path)
  try:
    environment = settings.get('functional_environment')
    return PopulationConfig(
      _to_agent(_get(settings, 'agent', dict)),
      _to_record(Sizes, 'networks', _get(settings, 'networks', dict)),
      None if environment is None else _to_environment(environment),
    )
  except (TypeError, ValueError) as error:
    raise ValueError(
      f'{path} is not the configuration of agents that this version can load: '
      f'{error}'
    ) from error


def _describe(
  environment: environments.FunctionalEnvironment | None,
) -> dict[str, Any] | None:
  """Returns the name and all fields of an environment; None if it has none."""
  known = {name: environments.functional(name) for name in environments.names()}
  like = {k: x for k, x in known.items() if type(x) is type(environment)}
  if not like:
    return None
  fields = _fields(environment)

  def equal(name: str) -> int:
    return sum(fields[k] == v for k, v in _fields(like[name]).items())

  return {'name': max(like, key=equal), **fields}


def _fields(environment: Any) -> dict[str, Any]:
  """Returns the fields that an environment is made from, levels as text."""
  return {
    field.name: getattr(value, 'text', value)
    for field in dataclasses.fields(environment)
    if field.init
    for value in [getattr(environment, field.name)]
  }


def _to_environment(
  described: dict[str, Any],
) -> environments.FunctionalEnvironment:
  """Undoes `_describe`."""
  name = _get(described, 'name', str)
  fields = {k: v for k, v in described.items() if k != 'name'}
  return environments.functional(name, **fields)


def _to_agent(fields: dict[str, Any]) -> config_lib.InfluenceConfig:
  """Returns the configuration of these fields."""
  ppo = _to_record(config_lib.PPOConfig, 'ppo', _get(fields, 'ppo', dict))
  return _to_record(config_lib.InfluenceConfig, 'agent', {**fields, 'ppo': ppo})


def _to_record(
  cls: Callable[..., _T], name: str, fields: Mapping[str, Any]
) -> _T:
  """Returns a dataclass of exactly these fields."""
  expected = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
  for what, wrong in (
    ('unknown', fields.keys() - expected),
    ('missing', expected - fields.keys()),
  ):
    if wrong:
      raise ValueError(f'{name} has fields that are {what}: {sorted(wrong)}.')
  return cls(**{k: checks.plain(v) for k, v in fields.items()})


def _get(record: Any, name: str, kind: type[_T]) -> _T:
  """Returns an entry of a record that must be of this type."""
  value = record.get(name) if isinstance(record, dict) else None
  if not isinstance(value, kind):
    raise ValueError(f'it has no entry {name!r} that is a {kind.__name__}.')
  return value
