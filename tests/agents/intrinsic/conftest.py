"""Stock agents for the tests of agents/intrinsic."""

import functools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

_NAMES = ('impala', 'r2d2', 'ppo', 'dqn')
_SLOW = ('impala', 'r2d2')  # To compile.


@functools.lru_cache
def _recorded(name):
  import recorded  # Not at the top: other tests need no Acme.

  return recorded.Recorded(name)


@pytest.fixture(
  scope='module',
  params=[
    pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else [])
    for name in _NAMES
  ],
)
def recorded(request):
  """Samples of each stock agent."""
  return _recorded(request.param)


@pytest.fixture(scope='module')
def dqn():
  """Samples of the one that compiles fastest."""
  return _recorded('dqn')
