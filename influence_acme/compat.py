"""Fills the gaps between dm-acme 0.4.0 and the packages that it uses.

Importing this module checks the installed versions and gives JAX the few names
that dm-acme 0.4.0 and rlax miss in it. Both must happen before the first import
of `acme.jax` or of an agent of `acme.agents.jax`:

  * every package of this library that imports acme imports `compat` in its
    `__init__.py`, which Python runs before any module of the package;
  * a script that imports acme itself imports `compat` in a block of its own,
    closed by the comment `# isort: split`, so that no sorter moves it down.

Launchpad unpickles a process node in a new interpreter, where acme may come
first in the pickle: launch such programs with `local_resources(program)`.
"""

import atexit
import contextlib
import importlib
import importlib.metadata
import os
import shutil
import tempfile
import types
from typing import Any, NamedTuple

import jax

__all__ = ('local_resources',)


class Requirement(NamedTuple):
  """Holds a version that the stack needs, and the reason.

  Attributes:
    package: name of the distribution in pip.
    versions: pip's specifier of the versions that work.
    partner: the package that forces the choice.
    reason: the failure with another version.
  """

  package: str
  versions: str
  partner: str
  reason: str


# In this order, since one wrong version hides those after it.
REQUIREMENTS = (
  Requirement(
    'dm-acme', '==0.4.0', 'influence_acme', 'its interfaces differ elsewhere'
  ),
  Requirement(
    'dm-launchpad',
    '==0.5.0',
    'dm-acme 0.4.0',
    'from 0.5.2 on a Courier server that is sent an array hangs for ever',
  ),
  Requirement(
    'tensorflow-cpu',
    '==2.8.4',
    'dm-launchpad 0.5.0',
    'it links the C++ library, and fails with undefined symbols on another',
  ),
  Requirement(
    'dm-reverb',
    '==0.7.3',
    'tensorflow-cpu 2.8.4',
    'it links the C++ library, and later ones want a newer TensorFlow',
  ),
  Requirement(
    'tensorflow-probability',
    '==0.16.0',
    'tensorflow-cpu 2.8.4',
    'later ones refuse TensorFlow 2.8',
  ),
  Requirement(
    'protobuf', '<3.21', 'tensorflow-cpu 2.8.4', 'later ones refuse its files'
  ),
  Requirement(
    'numpy',
    '<1.24',
    'tensorflow-cpu 2.8.4',
    'it uses names that NumPy 1.24 removed',
  ),
  Requirement(
    'scipy',
    '<1.12',
    'jax 0.4.23',
    'it uses scipy.linalg.tril, which SciPy 1.12 removed',
  ),
  Requirement(
    'chex',
    '==0.1.7',
    'numpy 1.23',
    'later ones need NumPy 1.24',
  ),
  Requirement(
    'jax',
    '==0.4.23',
    'chex 0.1.7',
    'it needs jax.random.KeyArray, which JAX 0.4.24 removed',
  ),
  Requirement('jaxlib', '==0.4.23', 'jax 0.4.23', 'they are released in pairs'),
  Requirement(
    'dm-haiku', '==0.0.13', 'jax 0.4.23', 'later ones need a newer JAX'
  ),
  Requirement(
    'gym',
    '<0.26',
    'dm-acme 0.4.0',
    'its GymWrapper wants four values from step(), gym 0.26 gives five',
  ),
  Requirement(
    'setuptools',
    '<81',
    'tensorflow-cpu 2.8.4',
    'its TensorBoard imports pkg_resources, which setuptools drops',
  ),
)

# TensorFlow with GPU support is the same library under another name.
_OTHER_NAMES = {'tensorflow-cpu': 'tensorflow'}

_HOW_TO_INSTALL = (
  'To install the whole set, in an environment with Python 3.10 (later ones '
  "have no dm-launchpad): pip install '.[acme]' where the project lies"
)


def _installed_version(package: str) -> str:
  """Returns the installed version of a package, '' if there is none."""
  for name in (package, _OTHER_NAMES.get(package)):
    try:
      if name is not None:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      continue
  return ''


def check_stack() -> None:
  """Checks that the installed versions work together.

  Wrong ones fail without a message: they crash at import, or hang in mid-run.

  Raises:
    ImportError: a package is missing or has a wrong version. The message names
      each of them, its partner, the reason, and the command that installs it.
  """
  installed = {r.package: _installed_version(r.package) for r in REQUIREMENTS}
  missing = [name for name, version in installed.items() if not version]
  if missing:
    raise ImportError(
      f'The parts of influence_acme that use Acme need {", ".join(missing)}. '
      + _HOW_TO_INSTALL
    )
  # Not at the top: a set that lacks the rest may lack this one too.
  import packaging.specifiers

  wrong = [
    f'{package} {installed[package]} does not go with {partner}: {reason}; '
    f'pip install "{package}{versions}"'
    for package, versions, partner, reason in REQUIREMENTS
    if installed[package] not in packaging.specifiers.SpecifierSet(versions)
  ]
  if wrong:
    raise ImportError(
      '\n  - '.join(['These packages do not work together:', *wrong])
      + f'\n{_HOW_TO_INSTALL}'
    )


def patch_jax() -> None:
  """Gives JAX 0.4.23 the names that the packages around it use.

  Calling it again changes nothing, and existing names are not replaced.
  """
  tree_util = jax.tree_util
  names = {
    # dm-acme 0.4.0; JAX has removed them.
    'xla.Device': jax.Device,
    'xla.DeviceArray': jax.Array,
    'pxla.ShardedDeviceArray': jax.Array,
    'numpy.DeviceArray': jax.Array,
    'tree_multimap': tree_util.tree_map,  # SAC and TD3.
    # rlax 0.1.7, in Acme's DQN and in PopArt; JAX has them from 0.4.25 on.
    'tree.flatten': tree_util.tree_flatten,
    'tree.leaves': tree_util.tree_leaves,
    'tree.map': tree_util.tree_map,
    'tree.structure': tree_util.tree_structure,
    'tree.unflatten': tree_util.tree_unflatten,
  }
  for path, value in names.items():
    *parents, name = path.split('.')
    owner: Any = jax
    for parent in parents:
      if not hasattr(owner, parent):
        setattr(owner, parent, types.SimpleNamespace())
      owner = getattr(owner, parent)
    if not hasattr(owner, name):
      setattr(owner, name, value)


def local_resources(program: Any) -> dict[str, Any]:
  """Returns launch settings that make a program's processes import this module.

  Use it in process launches of any program, such as Acme's own layouts:

    lp.launch(program, launch_type='local_mp',
              local_resources=compat.local_resources(program))

  Args:
    program: a complete `launchpad.Program`; nodes that are added to a new
      group later are not covered.

  Returns:
    A `PythonProcess` for each of the program's groups, by the group's label.
  """
  # Not at the top: on a wrong stack launchpad crashes before `check_stack` can
  # say why.
  import cloudpickle
  from launchpad.nodes.python import local_multi_processing

  directory = tempfile.mkdtemp(prefix='influence_acme_')
  atexit.register(shutil.rmtree, directory, ignore_errors=True)
  init_file = os.path.join(directory, 'init.pkl')
  with open(init_file, 'wb') as file:
    # Pickled as a name: loading it imports this module.
    cloudpickle.dump(patch_jax, file)
  return {
    label: local_multi_processing.PythonProcess(args={'init_file': init_file})
    for label in program.groups
  }


def silence_gym() -> None:
  """Suppresses the deprecation notice that gym prints when it is imported.

  The wrappers of dm-acme import gym.
  """
  with contextlib.suppress(ImportError):
    notices = importlib.import_module('gym_notices.notices')
    notices.notices.clear()


check_stack()
patch_jax()
silence_gym()
