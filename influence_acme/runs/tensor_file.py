"""Writes and reads safetensors files: arrays by name, and text by name.

Their metadata holds the SHA-256 of everything in them. Reading one never
executes code.
"""

import hashlib
import json
import os
import pathlib
import stat
from collections.abc import Mapping

import numpy as np
import safetensors
from safetensors import numpy as safetensors_numpy

_DIGEST = 'sha256'


def write(
  path: str | os.PathLike[str],
  arrays: Mapping[str, np.ndarray],
  metadata: Mapping[str, str],
) -> None:
  """Writes a file and syncs it, without a second copy of the arrays in memory.

  The arrays must be contiguous.

  Raises:
    OSError: the file cannot be written.
  """
  digest = {_DIGEST: _digest(arrays, metadata)}
  # The library's files are for their owner alone: others may want to resume,
  # or to load the agents.
  pathlib.Path(path).unlink(missing_ok=True)
  with open(path, 'wb') as file:
    mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
  try:
    safetensors_numpy.save_file(dict(arrays), path, {**metadata, **digest})
  except safetensors.SafetensorError as error:  # Such as a full disk.
    raise OSError(str(error)) from error
  with open(path, 'rb') as file:
    os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())


def read(
  path: str | os.PathLike[str],
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
  """Returns the arrays and the metadata of a file.

  Raises:
    ValueError: the digest is wrong.
    Exception: whatever the library raises for what is no such file.
  """
  with safetensors.safe_open(path, framework='numpy') as file:
    metadata = dict(file.metadata())
    arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
  if metadata.pop(_DIGEST) != _digest(arrays, metadata):
    raise ValueError('The digest is wrong.')
  return arrays, metadata


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
