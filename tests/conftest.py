"""Settings of the whole test suite, on both stacks."""

import gc
import os
import pathlib
import sys

# For what tests of several folders import.
sys.path.insert(0, str(pathlib.Path(__file__).parent))

# JAX's traces make many objects and little garbage.
gc.set_threshold(10_000)

os.environ.setdefault('JAX_PLATFORMS', 'cpu')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

# What takes longest, of folders by the longest of their modules, comes first. A
# worker that takes it last would be at it while others have nothing left to do.
_LONGEST = (
  *('programs', 'training', 'docs_code_test.py', 'rollouts', 'agents'),
  *('examples', 'system', 'networks', 'environments'),
)


def pytest_collection_modifyitems(items):
  """Puts long modules first, and leaves the others in order."""
  here = pathlib.Path(__file__).parent

  def rank(item):
    first = item.path.relative_to(here).parts[0]
    return _LONGEST.index(first) if first in _LONGEST else len(_LONGEST)

  items.sort(key=rank)
  gc.freeze()  # Nothing that was imported becomes garbage.
