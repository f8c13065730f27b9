"""What is public: the list in docs/api.md is what the modules export."""

import glob
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


def test_whatever_exports_is_listed():
  """agents/ and environments/ are linked into the package."""
  files = glob.glob('influence_acme/**/*.py', root_dir=ROOT, recursive=True)
  exporting = {
    name.removesuffix('.py').removesuffix('/__init__').replace('/', '.')
    for name in files
    if '\n__all__ = ' in (ROOT / name).read_text(encoding='utf-8')
  }
  assert exporting == set(_listed())
