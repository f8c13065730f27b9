"""Turns trees into arrays by name, and back."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np


def by_name(tree: Any) -> dict[str, Any]:
  """Returns path -> leaf of a tree, in the tree's order."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
  return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def to_tree(arrays: Mapping[str, np.ndarray], like: Any) -> Any:
  """Gives arrays by path the structure of a tree of the same shapes and dtypes.

  Numbers become Python's where the tree has such.

  Raises:
    ValueError: they differ in structure, shape or dtype.
  """
  expected = by_name(like)
  old, new = (
    {name: f'{_dtype(x)}{np.shape(x)}' for name, x in each.items()}
    for each in (arrays, expected)
  )
  for name in sorted(old.keys() | new.keys()):
    if old.get(name) != new.get(name):
      raise ValueError(
        f'{name} is {old.get(name, "missing")} in it, and '
        f'{new.get(name, "missing")} in this run.'
      )
  leaves = [
    type(leaf)(arrays[name]) if isinstance(leaf, (int, float)) else arrays[name]
    for name, leaf in expected.items()
  ]
  structure = jax.tree_util.tree_structure(like)
  return jax.tree_util.tree_unflatten(structure, leaves)


def _dtype(leaf: Any) -> str:
  """Returns a leaf's dtype; a count's is none.

  New learners of Acme's count with Python's integers, and later with JAX's.
  """
  # An array that lies in several processes cannot become one of NumPy's.
  dtype = leaf.dtype if hasattr(leaf, 'dtype') else np.asarray(leaf).dtype
  is_count = np.shape(leaf) == () and np.issubdtype(dtype, np.integer)
  return 'int' if is_count else str(dtype)


def nested(saved: Mapping[str, np.ndarray], name: str) -> dict[str, Any]:
  """Returns the nested dicts, of any shapes, under a name of a checkpoint."""
  found: dict[str, Any] = {}
  for path, array in saved.items():
    first, *keys = re.findall(r"\['([^']*)'\]", path)
    if first == name:
      *outer, last = keys
      inner = found
      for key in outer:
        inner = inner.setdefault(key, {})
      inner[last] = array
  return found
