"""Writes and reads the one file that a run is resumed from.

It is a `tensor_file`: arrays by name, and as metadata the format's version, and
the run's identity and counts as JSON. It is written aside, synced and renamed:
whenever the machine or the run ends, it is the old one or the new one, whole.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from influence_acme.runs import identity as identity_lib
from influence_acme.runs import loggers, named_arrays, tensor_file

# Goes up whenever older files cannot be read any more.
_VERSION = '2'
# Trees, whose arrays bear these prefixes.
_PARTS = ('learner', 'rollout')


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

  @property
  def environment_steps(self) -> int:
    """Global environment steps so far."""
    return int(self.counts.get(loggers.STEPS_KEY, 0))


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
  """Writes a checkpoint, whose arrays may be JAX's, in place of the one there.

  Raises:
    CheckpointError: it could not be written; the old one is as it was.
  """
  _replace(pathlib.Path(path), lambda aside: _write(aside, checkpoint))


def load(
  path: str | os.PathLike[str],
  identity: Mapping[str, Any] | None = None,
  allow_changes: Iterable[str] = (),
) -> Checkpoint:
  """Reads a checkpoint; its trees are flat, see `restore`.

  Args:
    path: of the file.
    identity: of the run that is to go on; None only to look at it.
    allow_changes: names in it that may differ.

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
    names = identity_lib.allowed_names(allow_changes)
    saved = {k: v for k, v in checkpoint.identity.items() if k not in names}
    _check_identity(
      path, saved, {k: v for k, v in identity.items() if k not in names}
    )
  return checkpoint


def forget_rollout(path: str | os.PathLike[str]) -> None:
  """Takes the environments out of a checkpoint: they start anew.

  Raises:
    CheckpointError: it could not be written; the old one is as it was.
  """
  arrays, metadata = tensor_file.read(path)
  kept = {k: x for k, x in arrays.items() if not k.startswith('rollout')}
  _replace(pathlib.Path(path), lambda x: tensor_file.write(x, kept, metadata))


def steps_done(path: str | os.PathLike[str]) -> int | None:
  """Returns the environment steps of a checkpoint; None without one of use."""
  try:
    return load(path).environment_steps
  except CheckpointError:
    return None


def restore(
  path: str | os.PathLike[str], saved: Mapping[str, np.ndarray], like: Any
) -> Any:
  """Gives arrays by name the structure that they were saved with.

  Args:
    path: of the checkpoint, for the message.
    saved: name -> array.
    like: a tree of the same structure, shapes and dtypes, as a new learner
      saves it; numbers of Python's are restored as such.

  Raises:
    CheckpointError: they differ in structure, shape or dtype.
  """
  try:
    return named_arrays.to_tree(saved, like)
  except ValueError as error:
    raise CheckpointError(
      f'The checkpoint {path} does not fit: {error} Resume with the networks '
      'and the configuration that it was written with, or start a new run in '
      'another directory (--run_dir).'
    ) from error


def to_numpy(tree: Any) -> Any:
  """Copies a tree to the host, so that later steps cannot change it."""
  return jax.tree_util.tree_map(
    lambda leaf: np.array(leaf) if isinstance(leaf, jax.Array) else leaf, tree
  )


def _replace(path: pathlib.Path, write: Callable[[pathlib.Path], None]) -> None:
  """Writes a file aside, and renames it."""
  aside = path.with_name(path.name + '.new')
  try:
    write(aside)
    os.replace(aside, path)
    _sync_directory(path.parent)
  except Exception as error:
    with contextlib.suppress(OSError):
      aside.unlink(missing_ok=True)
    if not isinstance(error, OSError):
      raise
    raise CheckpointError(
      f'Cannot write the checkpoint {path}: {error}. The one before it, if '
      'there is one, is as it was: make room, then resume the run.'
    ) from error


def _write(path: pathlib.Path, checkpoint: Checkpoint) -> None:
  """Writes a whole file."""
  arrays = {
    f'{part}{name}': np.asarray(leaf, order='C')
    for part in _PARTS
    for name, leaf in named_arrays.by_name(getattr(checkpoint, part)).items()
  }
  counts = {k: np.asarray(v).item() for k, v in checkpoint.counts.items()}
  metadata = {
    'version': _VERSION,
    'identity': json.dumps(checkpoint.identity),
    'counts': json.dumps(counts),
  }
  tensor_file.write(path, arrays, metadata)


def _read(path: str | os.PathLike[str]) -> Checkpoint:
  """Raises whatever the libraries do, ValueError if the version is wrong."""
  arrays, metadata = tensor_file.read(path)
  if metadata['version'] != _VERSION:
    raise ValueError(f'The version is {metadata["version"]}.')
  learner, rollout = (
    {
      name.removeprefix(part): array
      for name, array in arrays.items()
      if name.startswith(part)
    }
    for part in _PARTS
  )
  return Checkpoint(
    json.loads(metadata['identity']),
    json.loads(metadata['counts']),
    learner,
    rollout or None,
  )


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


def _sync_directory(path: pathlib.Path) -> None:
  """Makes a rename in the directory last."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
