"""A file imports only from lower layers or its own."""

import ast
import math
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent

# Part of the package -> its layer, lowest first.
LAYERS = {
  'influence_acme.types': 0,
  'influence_acme.checks': 0,
  'influence_acme.lazy': 0,
  'influence_acme.palette': 0,
  'influence_acme.xla_threads': 0,
  'influence_acme.ops': 1,
  'influence_acme.networks': 2,
  'influence_acme.environments': 2,
  'influence_acme.wrappers': 2,
  'influence_acme.adapters': 2,
  'influence_acme.system': 3,
  'influence_acme.metrics': 3,
  'influence_acme.rollouts': 4,
  'influence_acme.runs': 5,
  'influence_acme.training': 5,
  'influence_acme.train': 5,
  'influence_acme.playing': 5,
  'influence_acme.evaluate': 5,
  'influence_acme.compat': 6,
  'influence_acme.multiagent': 6,
  'influence_acme.adders': 6,
  'influence_acme.agents': 7,
  'influence_acme.programs': 8,
  'influence_acme.reproduction': 9,
  'influence_acme.reports': 9,
  'influence_acme.testing': 9,  # For tests and users: no other part needs it.
  'examples': 10,
  'benchmarks': 10,
}

# The pure layers run wherever JAX does, so they import nothing but these.
_STDLIB = sys.stdlib_module_names
_MATHS = {'numpy', 'jax', 'chex'}
_LEARNING = _MATHS | {'rlax', 'haiku', 'dm_env', 'optax'}
_RUNS = {
  'absl',
  'rich',
  'matplotlib',
  'PIL',
  'safetensors',
  'tensorboardX',
  'dm_env',
  'imageio_ffmpeg',
}
PURE = {
  'influence_acme.types': _MATHS,
  'influence_acme.checks': set(),
  'influence_acme.lazy': set(),
  'influence_acme.palette': set(),
  'influence_acme.xla_threads': _MATHS,
  'influence_acme.ops': _MATHS | {'rlax'},
  'influence_acme.networks': _MATHS | {'rlax', 'haiku'},
  'influence_acme.environments': _MATHS | {'rlax', 'dm_env'},
  'influence_acme.wrappers': _MATHS | {'rlax', 'dm_env'},
  'influence_acme.adapters': _MATHS
  | {'dm_env', 'gymnasium', 'pettingzoo', 'meltingpot'},
  'influence_acme.system': _LEARNING,
  'influence_acme.metrics': _MATHS | {'scipy'},
  'influence_acme.rollouts': _LEARNING,
  'influence_acme.runs': {'numpy', 'jax'} | _RUNS,
  'influence_acme.training': _MATHS | {'dm_env'},
  'influence_acme.train': {'tyro'},
  'influence_acme.reports': {'numpy', 'matplotlib', 'jinja2'},
}

# Where `import launchpad` may stand: programs, and what makes them work.
LAUNCHPAD = {'influence_acme.programs', 'influence_acme.compat'}

# Folders that lie at the top of the repository but are no packages there.
NOT_GLOBAL = {'agents', 'environments', 'tests'}


def _imports(source, module, is_package):
  """Yields (line, dotted name) of all imports, those in functions included.

  Args:
    source: text of a Python file.
    module: its dotted name, to which relative imports are relative.
    is_package: whether the file is a package's `__init__.py`.

  Yields:
    `from a import b` as `a.b`, whether b is a module or not; names of modules
    that are imported by a string, as in `importlib.import_module`, too.
  """
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Import):
      yield from ((node.lineno, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      base = module.split('.')
      base = base[: len(base) - node.level + is_package] if node.level else []
      base = '.'.join([*base, node.module] if node.module else base)
      yield from ((node.lineno, f'{base}.{a.name}') for a in node.names)
    elif isinstance(node, ast.Call) and node.args:
      function, argument = ast.unparse(node.func), node.args[0]
      is_import = function.endswith(('import_module', '__import__'))
      if is_import and isinstance(argument, ast.Constant):
        yield node.lineno, argument.value
    elif isinstance(node, ast.Constant) and re.fullmatch(
      r'influence_acme(\.\w+)+', str(node.value)
    ):
      yield node.lineno, node.value


def _part(name):
  """Returns the part of LAYERS that a dotted name is in, or None."""
  return next((p for p in LAYERS if f'{name}.'.startswith(f'{p}.')), None)


def _violations(source, module, is_package=False):
  """Returns the imports of a file that the layers forbid, as messages."""
  part = _part(module)
  found = []
  for line, name in sorted(set(_imports(source, module, is_package))):
    top, target = name.split('.')[0], _part(name)
    if top in NOT_GLOBAL:
      reason = f'write influence_acme.{name}'
    elif part is None:
      continue  # Tests.
    elif top == 'oracles':
      reason = 'it belongs to the tests'
    elif top == 'influence_acme' and target is None:
      reason = 'it is in no layer'
    elif target is not None and LAYERS[target] > LAYERS[part]:
      reason = f'{target} is above {part}'
    elif top == 'launchpad' and part not in LAUNCHPAD:
      reason = 'launchpad belongs into programs'
    elif target is None and part in PURE and top not in _STDLIB | PURE[part]:
      reason = f'{part} imports only {", ".join(sorted(PURE[part]))}'
    else:
      continue
    found.append(f'{module}:{line} imports {name}: {reason}')
  return found


def _files():
  """Yields (path, dotted name) of every Python file of the repository."""
  places = {
    'influence_acme': 'influence_acme',
    'agents': 'influence_acme.agents',
    'environments': 'influence_acme.environments',
    'examples': 'examples',
    'benchmarks': 'benchmarks',
    'tests': 'tests',
  }
  for folder, package in places.items():
    for path in sorted((ROOT / folder).rglob('*.py')):
      relative = path.relative_to(ROOT / folder).with_suffix('')
      names = [package, *relative.parts]
      yield path, '.'.join(names).removesuffix('.__init__')


def test_all_imports_point_downwards():
  violations = []
  for path, module in _files():
    is_package = path.name == '__init__.py'
    violations += _violations(path.read_text('utf-8'), module, is_package)
  assert not violations, '\n'.join(violations)


def test_importing_the_package_loads_no_part_of_it():
  code = 'import sys, influence_acme; print(*sys.modules)'
  loaded = subprocess.check_output([sys.executable, '-c', code], text=True)
  own = [x for x in loaded.split() if x.split('.')[0] == 'influence_acme']
  assert own == ['influence_acme']
  assert not {'jax', 'numpy', 'acme'} & set(loaded.split())


def test_every_file_is_in_a_layer():
  for _, module in _files():
    if module.startswith('influence_acme.'):
      assert _part(module), f'{module} is in no layer: add it to LAYERS.'


def _first_line(source, module, is_package, *prefixes):
  """Returns the first line that imports one of these names, or infinity."""
  imports = _imports(source, module, is_package)
  lines = (line for line, name in imports if f'{name}.'.startswith(prefixes))
  return min(lines, default=math.inf)


def _patches_jax(file):
  """Returns whether a file imports compat before acme."""
  source, name = file.read_text('utf-8'), f'influence_acme.{file.parent.name}'
  patched = _first_line(source, name, True, 'influence_acme.compat.')
  return patched < _first_line(source, name, True, 'acme.')


def test_packages_that_import_acme_patch_jax_before():
  """A package's `__init__` runs before its modules, in whatever order."""
  for path, module in _files():
    if module.startswith('influence_acme.'):
      source = path.read_text('utf-8')
      if _first_line(source, module, False, 'acme.') < math.inf:
        inits = [folder / '__init__.py' for folder in path.parents]
        files = [path, *(init for init in inits if init.exists())]
        assert any(_patches_jax(file) for file in files), (
          f'{module} imports acme: let it, or {inits[0]}, import compat, first '
          'of all.'
        )


def test_scripts_that_import_acme_patch_jax_before():
  for path, module in _files():
    if not module.startswith('influence_acme'):
      source = path.read_text('utf-8')
      used = _first_line(source, module, False, 'acme.jax.', 'acme.agents.')
      if used < math.inf:
        patched = _first_line(source, module, False, 'influence_acme.compat.')
        assert patched < used, (
          f'{path}:{used} imports Acme for JAX: import compat before, in a '
          'block of its own that ends with "# isort: split".'
        )


@pytest.mark.parametrize(
  ('module', 'source'),
  [
    ('influence_acme.ops.x', 'import haiku'),
    ('influence_acme.ops.x', 'from influence_acme import networks'),
    ('influence_acme.ops.x', 'from influence_acme.networks import moa'),
    ('influence_acme.ops.x', 'import influence_acme.adders.influence as a'),
    ('influence_acme.ops.x', 'from ..networks import moa'),
    ('influence_acme.ops.x', 'from .. import networks'),
    ('influence_acme.ops.x', 'def f():\n  import acme'),
    ('influence_acme.ops.x', 'if 0:\n  from acme import specs'),
    ('influence_acme.types', 'import rlax'),
    ('influence_acme.types', 'from . import ops'),
    ('influence_acme.networks.x', 'import dm_env'),
    ('influence_acme.environments.x', 'import reverb'),
    ('influence_acme.environments.x', 'import tensorflow as tf'),
    ('influence_acme.wrappers.x', 'from launchpad import nodes'),
    ('influence_acme.wrappers.x', 'from influence_acme import compat'),
    ('influence_acme.environments.x', 'NAME = "influence_acme.agents.x"'),
    ('influence_acme.environments.x', 'importlib.import_module("acme.jax")'),
    ('influence_acme.adders.x', 'import launchpad as lp'),
    ('influence_acme.multiagent.x', 'from influence_acme.agents import x'),
    ('influence_acme.system.x', 'from influence_acme import rollouts'),
    ('influence_acme.metrics.x', 'from acme import types'),
    ('influence_acme.rollouts.x', 'from influence_acme import agents'),
    ('influence_acme.runs.x', 'from acme.utils import loggers'),
    ('influence_acme.training.x', 'import reverb'),
    ('influence_acme.training.x', 'from influence_acme import compat'),
    ('influence_acme.train', 'import matplotlib'),
    ('influence_acme.reports.x', 'from acme import types'),
    ('influence_acme.programs.x', 'from influence_acme.testing import fakes'),
    ('influence_acme.programs.x', 'from influence_acme import nonsense'),
    ('influence_acme.programs.x', 'import examples.run'),
    ('influence_acme.programs.x', 'from benchmarks import table'),
    ('influence_acme.programs.x', 'import agents'),
    ('influence_acme.programs.x', 'from oracles import row_oracle'),
    ('examples.x', 'import launchpad as lp'),
    ('benchmarks.x', 'import launchpad as lp'),
    ('tests.x', 'from environments import cleanup'),
  ],
)
def test_the_check_finds_offenders(module, source):
  assert len(_violations(source, module)) == 1


@pytest.mark.parametrize(
  ('module', 'source'),
  [
    ('influence_acme.ops.x', 'import math, rlax, influence_acme.types'),
    ('influence_acme.ops.x', 'from . import y\nfrom .. import types'),
    ('influence_acme.wrappers.x', 'from influence_acme import environments'),
    ('influence_acme.environments.x', '"""See influence_acme.agents."""'),
    ('influence_acme.training.x', 'from influence_acme import rollouts, runs'),
    ('influence_acme.train', 'import tyro, influence_acme.training.run'),
    ('influence_acme.adders.x', 'from influence_acme import compat'),
    ('influence_acme.agents.x', 'import acme, influence_acme.ops'),
    ('influence_acme.programs.x', 'import launchpad as lp'),
    ('influence_acme.testing.x', 'from influence_acme import programs'),
    ('examples.x', 'from influence_acme import agents\nimport matplotlib'),
    ('tests.x', 'from influence_acme import agents\nimport launchpad'),
  ],
)
def test_the_check_lets_others_pass(module, source):
  assert not _violations(source, module)


def test_relative_imports_of_a_package():
  source = 'from . import x\nfrom .. import ops'
  imports = _imports(source, 'influence_acme.adders', is_package=True)
  names = [name for _, name in imports]
  assert names == ['influence_acme.adders.x', 'influence_acme.ops']


def test_pure_layers_name_only_jax_tree_util():
  """Old versions lack `jax.tree`, new ones the others; compat would hide it."""
  for path, module in _files():
    if _part(module) in PURE:
      nodes = ast.walk(ast.parse(path.read_text('utf-8')))
      names = {ast.unparse(n) for n in nodes if isinstance(n, ast.Attribute)}
      bad = names & {'jax.tree', 'jax.tree_map', 'jax.tree_multimap'}
      assert not bad, f'{path} uses {bad}: write jax.tree_util.'
