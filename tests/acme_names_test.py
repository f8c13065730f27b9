"""Every name of Acme and its stack that the package uses exists."""

import ast
import pathlib
import pkgutil

from influence_acme import compat  # noqa: F401

# isort: split

import pytest

ROOT = pathlib.Path(__file__).parent.parent
STACK = ('acme', 'launchpad', 'reverb')


def _names(source):
  """Returns the dotted names of the stack that a Python file uses."""
  nodes = list(ast.walk(ast.parse(source)))
  aliases = {}  # Local name -> dotted name.
  for node in nodes:
    if isinstance(node, ast.Import):
      for alias in node.names:
        top = alias.name.split('.')[0]
        aliases[alias.asname or top] = alias.name if alias.asname else top
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
      for alias in node.names:
        aliases[alias.asname or alias.name] = f'{node.module}.{alias.name}'
  names = set(aliases.values())
  for node in nodes:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
      names.add(f'{aliases.get(node.value.id, node.value.id)}.{node.attr}')
  return sorted(name for name in names if name.split('.')[0] in STACK)


def _files():
  for folder in ('influence_acme', 'agents', 'examples'):
    yield from sorted((ROOT / folder).rglob('*.py'))


def test_every_name_exists():
  missing = []
  for path in _files():
    for name in _names(path.read_text('utf-8')):
      try:
        pkgutil.resolve_name(name)
      except (AttributeError, ImportError) as error:
        missing.append(f'{path}: {name}: {error}')
  assert not missing, '\n'.join(missing)


def test_names_are_found():
  source = (
    'import acme\nfrom acme.adders import base as b\nimport numpy as np\n'
    'def f(x):\n  import reverb.errors\n  return acme.Actor, b.Adder, x.y'
  )
  assert _names(source) == [
    'acme',
    'acme.Actor',
    'acme.adders.base',
    'acme.adders.base.Adder',
    'reverb',
  ]


def test_a_missing_name_would_be_noticed():
  with pytest.raises(AttributeError):
    pkgutil.resolve_name('acme.specs.NoSuchSpec')
