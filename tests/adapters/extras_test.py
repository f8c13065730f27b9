"""Each adapter needs what it adapts, and says so where it is missing."""

import subprocess
import sys

import pytest

from influence_acme import adapters


@pytest.mark.parametrize(
  ('name', 'package', 'other', 'install'),
  [
    ('MeltingPotEnvironment', 'meltingpot', 'pettingzoo', 'make meltingpot'),
    ('ParallelEnvironment', 'pettingzoo', 'meltingpot', "install '.[pett"),
    (
      'PettingZooEnvironment',
      'pettingzoo',
      'meltingpot',
      "install '.[pett",
    ),
  ],
)
def test_what_is_missing_is_named(name, package, other, install):
  code = (
    'import sys\n'
    f'sys.modules[{package!r}] = None  # As if it were not installed.\n'
    'from influence_acme import adapters, environments, wrappers\n'
    'try:\n'
    f'  adapters.{name}\n'
    'except ImportError as error:\n'
    f'  print(error, {other!r} in sys.modules)\n'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert f'adapters.{name} cannot be loaded: import of {package}' in done.stdout
  assert install in done.stdout
  assert done.stdout.strip().endswith('False')


def test_unknown_names_are_no_adapters():
  with pytest.raises(AttributeError, match="no attribute 'Gym'"):
    adapters.Gym  # noqa: B018
