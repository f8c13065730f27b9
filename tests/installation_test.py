"""What is installed: the whole package, and nothing global beside it."""

import glob
import pathlib
import subprocess
import sys
import zipfile

import checkout

ROOT = pathlib.Path(__file__).parent.parent


def _sources(root):
  """Returns the package's files; unlike pathlib, glob follows the links."""
  return glob.glob('influence_acme/**/*.py', root_dir=root, recursive=True)


def _run(code, directory):
  """Runs code in a fresh interpreter; returns the words that it prints."""
  result = subprocess.run(
    [sys.executable, '-c', code], cwd=directory, capture_output=True, text=True
  )
  assert result.returncode == 0, result.stderr
  return result.stdout.split()


def test_pure_layers_load_nothing_of_acme(tmp_path):
  """What they import must not import it either."""
  pure = 'types', 'ops', 'networks', 'environments', 'wrappers'
  modules = [
    name.removesuffix('.py').replace('/', '.').removesuffix('.__init__')
    for name in _sources(ROOT)
    if name.split('/')[1].removesuffix('.py') in pure
  ]
  assert len(modules) >= len(pure)
  loaded = _run(
    'import importlib, sys\n'
    f'for name in {modules!r}: importlib.import_module(name)\n'
    'print(*{name.split(".")[0] for name in sys.modules})',
    tmp_path,
  )
  assert not {'acme', 'reverb', 'tensorflow', 'launchpad'} & set(loaded)


def test_nothing_else_becomes_a_global_package(tmp_path):
  """Outside the checkout, where the working directory does not help."""
  found = _run(
    'import importlib.util as u\n'
    'names = ["influence_acme", "agents", "environments", "tests"]\n'
    'print(*[name for name in names if u.find_spec(name)])',
    tmp_path,
  )
  assert found == ['influence_acme']


def test_wheel_holds_the_whole_package_and_nothing_else(tmp_path):
  copy = checkout.copy(tmp_path / 'checkout')
  _run('from setuptools import build_meta as b; b.build_wheel("..")', copy)
  (wheel,) = tmp_path.glob('*.whl')
  with zipfile.ZipFile(wheel) as archive:
    files = {name for name in archive.namelist() if '.dist-info/' not in name}
  assert {name.split('/')[0] for name in files} == {'influence_acme'}
  assert files >= {'influence_acme/py.typed', *_sources(ROOT)}
