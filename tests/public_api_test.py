"""What is public: the list in docs/api.md is what the modules export."""

import importlib
import pathlib
import re

import pytest

from influence_acme import compat  # noqa: F401  Before any import of acme.

ROOT = pathlib.Path(__file__).parent.parent
_LINES = (ROOT / 'docs' / 'api.md').read_text(encoding='utf-8').splitlines()


def _listed():
  """Returns the listed names by module."""
  names: dict[str, list[str]] = {}
  for line in _LINES:
    if line.startswith('## '):
      module = line.removeprefix('## ')
      names[module] = []
    elif match := re.match(r'\| `(\w+)` \| (.+) \|', line):
      names[module].append(match[1])
  return names


@pytest.mark.parametrize('module', _listed())
def test_a_module_exports_what_is_listed(module):
  exported = importlib.import_module(module).__all__
  assert sorted(_listed()[module], key=str.lower) == _listed()[module]
  assert set(_listed()[module]) == set(exported)


def test_every_package_that_exports_is_listed():
  packages = [*ROOT.glob('influence_acme/*/__init__.py')]
  packages += ROOT.glob('agents/*/__init__.py')
  packages += ROOT.glob('influence_acme/testing/*/__init__.py')
  exporting = {
    path.parent.name for path in packages if '__all__' in path.read_text()
  }
  listed = {module.split('.')[-1] for module in _listed()}
  assert exporting == listed - {'types'}
