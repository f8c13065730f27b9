"""The one file that a run is resumed from.

A magic line, the SHA-256 of the rest, the rest: a pickled `Checkpoint` of NumPy
arrays. It is written aside, synced and renamed: whenever the machine or the
run ends, the file is the old one or the new one, whole.

As every pickle, it must come from someone you trust.
"""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import pickle
from collections.abc import Mapping
from typing import Any, BinaryIO

import jax
import numpy as np

# The number goes up whenever older files cannot be read any more.
_MAGIC = b'influence_acme checkpoint 1\n'
_DIGEST_BYTES = hashlib.sha256().digest_size


class CheckpointError(Exception):
  """A checkpoint cannot be used or written; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
  """All that a run needs to go on.

  Attributes:
    identity: what the run must share with a run that it resumes, by name.
    counts: all counts of the program; schedules follow from them.
    learner: what the learner's `save()` returned: parameters, optimiser.
    lockstep: what the one-process program needs besides; None in others.
  """

  identity: Mapping[str, Any]
  counts: Mapping[str, int | float]
  learner: Any
  lockstep: Any = None


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
    _write(aside, to_numpy(vars(checkpoint)))
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
    The checkpoint, its arrays NumPy's.

  Raises:
    CheckpointError: there is none, it is broken, or of another run.
  """
  try:
    content = pathlib.Path(path).read_bytes()
  except OSError as error:
    raise CheckpointError(
      f'Cannot read the checkpoint {path}: {error}. Correct --run_dir, or '
      'start a new run, without --resume.'
    ) from error
  try:
    checkpoint = _parse(content)
  except Exception as error:
    raise CheckpointError(
      f'{path} is broken, or no checkpoint of this version: put a copy of it '
      'there if you have one, or start again in another directory (--run_dir).'
    ) from error
  if identity is not None:
    _check_identity(path, checkpoint.identity, identity)
  return checkpoint


def check_layout(
  path: str | os.PathLike[str], saved: Any, expected: Any
) -> None:
  """Checks that a saved state fits, before anything is restored from it.

  Args:
    path: of the checkpoint, for the message.
    saved: what the checkpoint holds of the learner.
    expected: what this run's learner saves before its first step.

  Raises:
    CheckpointError: they differ in structure, shape or dtype.
  """
  old, new = _layout(saved), _layout(expected)
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


class _Hashed:
  """A file that hashes what is written to it."""

  def __init__(self, file: BinaryIO):
    self._file = file
    self._hash = hashlib.sha256()

  def write(self, data: Any) -> int:
    self._hash.update(data)
    return self._file.write(data)

  def digest(self) -> bytes:
    return self._hash.digest()


def _write(path: pathlib.Path, content: Any) -> None:
  """Writes a whole file, without a second copy of the arrays in memory."""
  with open(path, 'wb') as file:
    file.write(_MAGIC + bytes(_DIGEST_BYTES))  # It is known at the end.
    hashed = _Hashed(file)
    pickle.dump(content, hashed, protocol=5)  # 4 copies all arrays.
    file.seek(len(_MAGIC))
    file.write(hashed.digest())
    file.flush()
    os.fsync(file.fileno())


def _parse(content: bytes) -> Checkpoint:
  """Raises whatever pickle does, ValueError if the digest is wrong."""
  start = len(_MAGIC) + _DIGEST_BYTES
  payload = content[start:]
  if content[:start] != _MAGIC + hashlib.sha256(payload).digest():
    raise ValueError('The digest is wrong.')
  return Checkpoint(**pickle.loads(payload))


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


def _layout(tree: Any) -> dict[str, str]:
  """Returns path -> shape and dtype of every leaf."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
  return {
    jax.tree_util.keystr(path): f'{_dtype(leaf)}{np.shape(leaf)}'
    for path, leaf in leaves
  }


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
