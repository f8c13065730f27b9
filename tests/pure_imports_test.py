"""The pure layers import nothing of Acme, and say how to get what needs it."""

import subprocess
import sys

import pytest

# Imports every module of the pure parts, and looks what comes along.
_IMPORT_ALL = """
import importlib, pkgutil, sys
import rlax  # The full stack's version loads TensorFlow, today's does not.
bad = {'acme', 'reverb', 'launchpad', 'tensorflow'} - set(sys.modules)

def modules(part):
  yield part
  path = getattr(importlib.import_module(part), '__path__', ())
  for module in pkgutil.walk_packages(path, part + '.'):
    yield module.name

for part in sys.argv[1:]:
  for name in modules('influence_acme.' + part):
    importlib.import_module(name)
    found = bad & set(sys.modules)
    assert not found, f'{name} imports {found}'
    print(name)
"""
_PACKAGES = (
  'playing',
  'ops',
  'networks',
  'environments',
  'wrappers',
  'system',
  'metrics',
  'rollouts',
  'runs',
  'training',
  'reports',
)
_MODULES = (
  'types',
  'lazy',
  'palette',
  'checks',
  'xla_threads',
  'train',
  'reproduction.runner',
)


def _run(*arguments):
  """Runs Python code in a fresh interpreter; returns what it printed."""
  return subprocess.run(
    [sys.executable, '-c', *arguments],
    check=True,
    stdout=subprocess.PIPE,
    text=True,
  ).stdout


def test_the_pure_layers_import_nothing_of_acme():
  imported = _run(_IMPORT_ALL, *_MODULES, *_PACKAGES).split()
  assert len(imported) > 80
  assert {'influence_acme.train', 'influence_acme.training.loop'} <= {*imported}


# The package of the agent is more than its pure names, which load no more.
_AGENT = """
import sys
sys.modules['acme'] = None  # As if it were not installed.
from influence_acme.agents import influence
from influence_acme.agents.influence import config, networks
config = influence.InfluenceConfig(variant='moa')
assert not {'reverb', 'launchpad'} & set(sys.modules)
try:
  influence.InfluenceBuilder
except ImportError as error:
  print(error)
"""


def test_what_needs_acme_says_how_to_install_it():
  assert _run(_AGENT) == (
    'influence_acme.agents.influence.InfluenceBuilder needs Acme: install it '
    "by pip install '.[acme]' in an environment with Python 3.10 (later "
    'versions have no dm-launchpad), or train without it by '
    'python -m influence_acme.train.\n'
  )


def test_what_is_not_there_is_no_attribute():
  from influence_acme.agents import influence

  with pytest.raises(AttributeError, match="no attribute 'Influencer'"):
    influence.Influencer  # noqa: B018
