"""Provides multi-agent environments: pure JAX functions and a dm_env adapter.

`functional` gives an environment's pure functions, `make` its dm_env adapter.
"""

import dataclasses
import importlib
from typing import Any, TYPE_CHECKING

from influence_acme.environments.grid import levels

if TYPE_CHECKING:  # Loaded on demand, as they load JAX.
  from influence_acme.environments.base import FunctionalEnvironment, Step
  from influence_acme.environments.dm_env_adapter import MultiAgentEnvironment
else:
  _MODULES = {
    'FunctionalEnvironment': 'base',
    'MultiAgentEnvironment': 'dm_env_adapter',
    'Step': 'base',
  }

  def __getattr__(name: str) -> Any:
    if name not in _MODULES:
      raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = importlib.import_module(f'{__name__}.{_MODULES[name]}')
    return getattr(module, name)


__all__ = (
  'FunctionalEnvironment',
  'MultiAgentEnvironment',
  'Step',
  'functional',
  'make',
  'names',
)

# Name -> (module, class, fields with other defaults than the class's). Loaded
# on demand: one game does not load the others.
_SMALL = {'num_agents': 3, 'episode_length': 500}
_REGISTRY: dict[str, tuple[str, str, dict[str, Any]]] = {
  'box_trapped': ('box_trapped', 'BoxTrapped', {}),
  'cleanup': ('cleanup', 'Cleanup', {}),
  'cleanup_small': (
    'cleanup',
    'Cleanup',
    {'level': levels.CLEANUP_SMALL, **_SMALL},
  ),
  'coordination': ('matrix', 'Coordination', {}),
  'harvest': ('harvest', 'Harvest', {}),
  'harvest_small': (
    'harvest',
    'Harvest',
    {'level': levels.HARVEST_SMALL, **_SMALL},
  ),
  'matrix': ('matrix', 'MatrixGame', {}),
}


def names() -> tuple[str, ...]:
  """Returns the names that `functional` and `make` know."""
  return tuple(sorted(_REGISTRY))


def functional(name: str, **overrides: Any) -> 'FunctionalEnvironment':
  """Returns the pure functions of an environment.

  Args:
    name: one of `names()`.
    **overrides: fields of the environment, such as `num_agents`, or the
      `level` of Cleanup and Harvest, as text.

  Returns:
    An immutable environment, see `FunctionalEnvironment`.

  Raises:
    ValueError: the name or an override is unknown, or a value out of range.
  """
  if name not in _REGISTRY:
    raise ValueError(
      f'Unknown environment {name!r}: there are {", ".join(names())}.'
    )
  module, class_name, defaults = _REGISTRY[name]
  cls = getattr(importlib.import_module(f'{__name__}.{module}'), class_name)
  known = [field.name for field in dataclasses.fields(cls) if field.init]
  unknown = sorted(set(overrides) - set(known))
  if unknown:
    raise ValueError(
      f'Unknown override {unknown[0]!r} of environment {name!r}: there are '
      f'{", ".join(known)}.'
    )
  return cls(**{**defaults, **overrides})


def make(
  name: str, *, seed: int = 0, **overrides: Any
) -> 'MultiAgentEnvironment':
  """Returns the dm_env adapter of an environment.

  Args:
    name: one of `names()`.
    seed: of all the environment's randomness.
    **overrides: as for `functional`.

  Returns:
    A multi-agent `dm_env.Environment` over the same functions.

  Raises:
    ValueError: as for `functional`.
  """
  from influence_acme.environments import dm_env_adapter

  return dm_env_adapter.MultiAgentEnvironment(
    functional(name, **overrides), seed=seed
  )
