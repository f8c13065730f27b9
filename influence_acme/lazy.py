"""Loads public names that need Acme when they are first asked for."""

import importlib
from collections.abc import Mapping
from typing import Any


def load(package: str, name: str, modules: Mapping[str, str]) -> Any:
  """Returns a name of a module that needs the extra `[acme]`.

  Serves as the `__getattr__` of a package that is imported on any Python.

  Args:
    package: that is asked.
    name: that it is asked for.
    modules: name -> the module that defines it.

  Returns:
    The module's attribute.

  Raises:
    AttributeError: the package has no such name.
    ImportError: Acme is not installed.
  """
  if name not in modules:
    raise AttributeError(f'module {package!r} has no attribute {name!r}')
  try:
    module = importlib.import_module(modules[name])
  except ImportError as error:
    raise ImportError(
      f'{package}.{name} needs Acme: install it by '
      "pip install '.[acme]' in an environment with Python 3.10 (later "
      'versions have no dm-launchpad), or train without it by '
      'python -m influence_acme.train.'
    ) from error
  return getattr(module, name)
