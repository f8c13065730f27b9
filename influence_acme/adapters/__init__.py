"""Adapts environments of other libraries to this one's, and the reverse.

  pip install '.[pettingzoo]'  # From and to its parallel API.
  make meltingpot              # From Melting Pot's substrates.

From and to JaxMARL's API needs nothing more.

Each adapter is loaded when it is first named, so that only its users need the
library that it adapts.
"""

import importlib
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
  from influence_acme.adapters.from_jaxmarl import JaxMARLEnvironment
  from influence_acme.adapters.from_meltingpot import MeltingPotEnvironment
  from influence_acme.adapters.from_pettingzoo import PettingZooEnvironment
  from influence_acme.adapters.to_jaxmarl import MultiAgentEnv
  from influence_acme.adapters.to_pettingzoo import ParallelEnvironment

__all__ = (
  'JaxMARLEnvironment',
  'MeltingPotEnvironment',
  'MultiAgentEnv',
  'ParallelEnvironment',
  'PettingZooEnvironment',
)

_PETTINGZOO = "pip install '.[pettingzoo]'"
# Name -> its module, and the command that installs its requirements.
_HOMES = {
  'JaxMARLEnvironment': ('from_jaxmarl', 'pip install .'),
  'MeltingPotEnvironment': (
    'from_meltingpot',
    'make meltingpot, in a clone of the repository',
  ),
  'MultiAgentEnv': ('to_jaxmarl', 'pip install .'),
  'ParallelEnvironment': ('to_pettingzoo', _PETTINGZOO),
  'PettingZooEnvironment': ('from_pettingzoo', _PETTINGZOO),
}


def __getattr__(name: str) -> Any:
  """Loads an adapter."""
  if name not in _HOMES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module, install = _HOMES[name]
  try:
    return getattr(importlib.import_module(f'{__name__}.{module}'), name)
  except ImportError as error:
    raise ImportError(
      f'adapters.{name} cannot be loaded: {error}. What it needs is installed '
      f'by: {install}'
    ) from error
