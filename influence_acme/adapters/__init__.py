"""Environments of PettingZoo's parallel API in our programs, and ours in it.

  pip install "influence_acme[pettingzoo]"

No other part of the package needs PettingZoo.
"""

try:
  import gymnasium as _gymnasium  # noqa: F401
  import pettingzoo as _pettingzoo  # noqa: F401
except ImportError as error:
  raise ImportError(
    f'influence_acme.adapters needs PettingZoo, and {error.name} is missing: '
    'pip install "influence_acme[pettingzoo]"'
  ) from error

from influence_acme.adapters.from_pettingzoo import PettingZooEnvironment
from influence_acme.adapters.to_pettingzoo import ParallelEnvironment

__all__ = ('ParallelEnvironment', 'PettingZooEnvironment')
