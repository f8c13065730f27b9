"""Writes and reads the one file that a run is resumed from.

It is a safetensors file: arrays by name, and as metadata the format's version,
the run's identity and counts as JSON, and the SHA-256 of all of it. Reading it
never executes code. It is written aside, synced and renamed: whenever the
machine or the run ends, the file is the old one or the new one, whole.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import safetensors
from safetensors import numpy as safetensors_numpy

# Goes up whenever older files cannot be read any more.
_VERSION = '2'


class CheckpointError(Exception):
  """A checkpoint cannot be used or written; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
  """Everything that a run needs to go on.

  Attributes:
    identity: settings that a run must share with one that it resumes, by name.
    counts: all counts of the run; schedules follow from them.
    learner: the learner's `save()`: parameters, optimiser. Read from a file it
      is flat, name -> array: `restore` gives it its structure back.
    rollout: environments, and the batch that waits for the learner; of the
      fused trainer alone, likewise. None in others.
  """

  identity: Mapping[str, Any]
  counts: Mapping[str, int | float]
  learner: Any
  rollout: Any = None


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
  """Writes a checkpoint in place of the one that is there.

  Args:
    path: of the file.
    checkpoint: whose arrays may be JAX's.

  Raises:
    CheckpointError: it could not be written; the old one is as it was.
  """
  path = pathlib.Path(path)
  aside = path.with_name(path.name + '.new')
  try:
    _write(aside, checkpoint)
    os.replace(aside, path)
    _sync_directory(path.parent)
  except Exception as error:
    with contextlib.suppress(OSError):
      aside.unlink(missing_ok=True)
    if not isinstance(error, OSError):
      raise
    raise CheckpointError(
      f'Cannot write the checkpoint {path}: {error}. The one before it, if '
      'there is one, is as it was: make room, then resume (--resume).'
    ) from error


def load(
  path: str | os.PathLike[str], identity: Mapping[str, Any] | None = None
) -> Checkpoint:
  """Reads a checkpoint.

  Args:
    path: of the file.
    identity: of the run that is to go on; None only to look at it.

  Returns:
    The checkpoint; its trees are flat, see `restore`.

  Raises:
    CheckpointError: there is none, it is broken, or of another run.
  """
  try:
    # Names what is wrong, where the library would not.
    with open(path, 'rb'):
      pass
  except OSError as error:
    raise CheckpointError(
      f'Cannot read the checkpoint {path}: {error}. Correct --run_dir, or '
      'start a new run, without --resume.'
    ) from error
  try:
    checkpoint = _read(path)
  except Exception as error:
    raise CheckpointError(
      f'{path} is broken, or no checkpoint of this version: put a copy of it '
      'there if you have one, or start again in another directory (--run_dir).'
    ) from error
  if identity is not None:
    _check_identity(path, checkpoint.identity, identity)
  return checkpoint


def restore(
  path: str | os.PathLike[str], saved: Mapping[str, np.ndarray], like: Any
) -> Any:
  """Gives arrays of a checkpoint the structure that they were saved with.

  Args:
    path: of the checkpoint, for the message.
    saved: name -> array.
    like: a tree of the same structure, shapes and dtypes, as a new learner
      saves it.

  Returns:
    The tree with the saved values, as NumPy arrays; numbers where `like` has
    Python's.

  Raises:
    CheckpointError: they differ in structure, shape or dtype.
  """
  expected = _by_name(like)
  check_layout(path, saved, expected)
  leaves = [
    type(leaf)(saved[name]) if isinstance(leaf, (int, float)) else saved[name]
    for name, leaf in expected.items()
  ]
  tree = jax.tree_util.tree_structure(like)
  return jax.tree_util.tree_unflatten(tree, leaves)


def nested(saved: Mapping[str, np.ndarray], name: str) -> dict[str, Any]:
  """Returns the nested dicts that lie under a name of a checkpoint.

  Args:
    saved: name -> array.
    name: of a dict in the saved tree, whose shapes need not be known.
  """
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


def check_layout(
  path: str | os.PathLike[str],
  saved: Mapping[str, Any],
  expected: Mapping[str, Any],
) -> None:
  """Checks that a saved state fits, before anything is restored from it.

  Args:
    path: of the checkpoint, for the message.
    saved: name -> array, of the checkpoint.
    expected: name -> array, of this run.

  Raises:
    CheckpointError: they differ in structure, shape or dtype.
  """
  old, new = (
    {name: f'{_dtype(x)}{np.shape(x)}' for name, x in each.items()}
    for each in (saved, expected)
  )
  for name in sorted(old.keys() | new.keys()):
    if old.get(name) != new.get(name):
      raise CheckpointError(
        f'The checkpoint {path} does not fit: {name} is '
        f'{old.get(name, "missing")} in it, and {new.get(name, "missing")} in '
        'this run. Resume with the networks and the configuration that it was '
        'written with, or start a new run in another directory (--run_dir).'
      )


def to_numpy(tree: Any) -> Any:
  """Copies a tree to the host, so that later steps cannot change it."""
  return jax.tree_util.tree_map(
    lambda leaf: np.array(leaf) if isinstance(leaf, jax.Array) else leaf, tree
  )


def _write(path: pathlib.Path, checkpoint: Checkpoint) -> None:
  """Writes a whole file, without a second copy of the arrays in memory."""
  arrays = {
    f'{part}{name}': np.asarray(leaf, order='C')
    for part in ('learner', 'rollout')
    for name, leaf in _by_name(getattr(checkpoint, part)).items()
  }
  metadata = {
    'version': _VERSION,
    'identity': json.dumps(checkpoint.identity),
    'counts': json.dumps(
      {k: np.asarray(v).item() for k, v in checkpoint.counts.items()}
    ),
  }
  metadata['sha256'] = _digest(arrays, metadata)
  safetensors_numpy.save_file(arrays, path, metadata)
  with open(path, 'rb') as file:
    os.fsync(file.fileno())


def _read(path: str | os.PathLike[str]) -> Checkpoint:
  """Raises whatever the libraries do, ValueError if the digest is wrong."""
  with safetensors.safe_open(path, framework='numpy') as file:
    metadata = dict(file.metadata())
    arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
  digest = metadata.pop('sha256')
  if metadata['version'] != _VERSION or digest != _digest(arrays, metadata):
    raise ValueError('The version or the digest is wrong.')
  parts: dict[str, dict[str, np.ndarray]] = {'learner': {}, 'rollout': {}}
  for name, array in arrays.items():
    parts[name[:7]][name[7:]] = array
  return Checkpoint(
    json.loads(metadata['identity']),
    json.loads(metadata['counts']),
    parts['learner'],
    parts['rollout'] or None,
  )


def _digest(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> str:
  """Returns the SHA-256 of everything in a file."""
  layout = {k: [str(x.dtype), x.shape] for k, x in arrays.items()}
  header = json.dumps([layout, dict(metadata)], sort_keys=True)
  digest = hashlib.sha256(header.encode('utf-8'))
  for name in sorted(arrays):
    digest.update(arrays[name].reshape(-1).view(np.uint8).data)
  return digest.hexdigest()


def _by_name(tree: Any) -> dict[str, Any]:
  """Returns path -> leaf of a tree, in the tree's order."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
  return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def _check_identity(
  path: str | os.PathLike[str],
  saved: Mapping[str, Any],
  expected: Mapping[str, Any],
) -> None:
  for name in sorted(saved.keys() | expected.keys()):
    if saved.get(name) != expected.get(name):
      raise CheckpointError(
        f'The checkpoint {path} is of another experiment: its {name} is '
        f'{saved.get(name)!r}, that of this run {expected.get(name)!r}. Set it '
        'as it was, or start a new run in another directory (--run_dir).'
      )


def _dtype(leaf: Any) -> str:
  """Returns a leaf's dtype; a count's is none.

  New learners of Acme's count with Python's integers, and later with JAX's.
  """
  dtype = np.asarray(leaf).dtype
  is_count = np.shape(leaf) == () and np.issubdtype(dtype, np.integer)
  return 'int' if is_count else str(dtype)


def _sync_directory(path: pathlib.Path) -> None:
  """Makes a rename in the directory last."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
