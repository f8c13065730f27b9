"""The directory of a run: where everything lies that a run leaves behind."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from influence_acme.runs import loggers

# Whose versions a result may depend on; names as pip knows them.
_PACKAGES = (
  'influence_acme',
  'dm-acme',
  'dm-launchpad',
  'dm-reverb',
  'tensorflow-cpu',
  'jax',
  'jaxlib',
  'dm-haiku',
  'chex',
  'optax',
  'rlax',
  'dm-env',
  'numpy',
)


@dataclasses.dataclass(frozen=True)
class RunDirectory:
  """The layout of a run's directory. Making one touches no file.

      config.json            all settings, versions and the seed
      logs/LABEL.csv         what the node LABEL logged
      logs/tensorboard/      the same for TensorBoard
      checkpoint             the last one, to resume from
      failure.txt            the traceback of a node that failed, if one did
      curves.png             the learning curves
      episode.gif            an episode played by the final population
      episode.npz            what happened in it, as arrays
      influence_matrix.png   who influenced whom in it, and the numbers in
      influence_matrix.csv
      report.html            all of this on one page

  It may be sent to other processes.

  Attributes:
    path: absolute, with no '~' in it.
  """

  path: pathlib.Path

  def __init__(self, path: str | os.PathLike[str]):
    """Names a directory; see `prepare`."""
    absolute = pathlib.Path(path).expanduser().absolute()
    object.__setattr__(self, 'path', absolute)

  @property
  def config_path(self) -> pathlib.Path:
    """All settings, versions and the seed, as JSON."""
    return self.path / 'config.json'

  @property
  def checkpoint_path(self) -> pathlib.Path:
    """The last checkpoint."""
    return self.path / 'checkpoint'

  @property
  def failure_path(self) -> pathlib.Path:
    """The traceback of a node that failed; no file if none did."""
    return self.path / 'failure.txt'

  @property
  def logs(self) -> pathlib.Path:
    """The directory of the CSV and TensorBoard logs."""
    return self.path / 'logs'

  @property
  def curves_path(self) -> pathlib.Path:
    """The picture of the learning curves."""
    return self.path / 'curves.png'

  @property
  def video_path(self) -> pathlib.Path:
    """The video of an episode."""
    return self.path / 'episode.gif'

  @property
  def episode_path(self) -> pathlib.Path:
    """The arrays of that episode."""
    return self.path / 'episode.npz'

  @property
  def influence_matrix_path(self) -> pathlib.Path:
    """The picture of who influenced whom; the numbers lie beside it."""
    return self.path / 'influence_matrix.png'

  @property
  def report_path(self) -> pathlib.Path:
    """The page that shows all of this."""
    return self.path / 'report.html'

  def prepare(self, *, resume: bool = False) -> None:
    """Makes the directory ready for a run, before anything costly starts.

    Args:
      resume: whether to go on with the run that lies there.

    Raises:
      FileExistsError: a run lies there, and is not to be resumed.
      FileNotFoundError: there is nothing to resume.
      PermissionError: the directory cannot be written, for whatever reason.
    """
    if resume:
      self._check_resumable()
    elif self.config_path.exists():
      raise FileExistsError(
        f'{self.path} holds a run already: resume it (--resume), or choose '
        'another directory (--run_dir).'
      )
    try:
      self.logs.mkdir(parents=True, exist_ok=True)
      with tempfile.TemporaryFile(dir=self.path) as file:
        file.write(b'0')
      # Whoever finds it takes the run for a failed one.
      self.failure_path.unlink(missing_ok=True)
    except OSError as error:
      raise PermissionError(
        f'Cannot write to the run directory {self.path}: {error}. Choose '
        'another one (--run_dir).'
      ) from error

  def write_config(self, config: Mapping[str, Any]) -> None:
    """Writes down how the run was started; in addition, if it is resumed.

    A resumed run may have other settings: they are named in the log, and in
    the new entry of 'resumed', under 'changed'.

    Args:
      config: all settings by name, the seed among them; values that JSON does
        not know are written as well as it can.
    """
    entry: dict[str, Any] = {
      'started': datetime.datetime.now().astimezone().isoformat('T', 'seconds'),
      'command': sys.argv,
      'config': dict(config),
      'python': platform.python_version(),
      'platform': platform.platform(),
      'versions': {name: _version(name) for name in _PACKAGES},
    }
    entry = json.loads(json.dumps(entry, default=_to_json))
    if self.config_path.exists():
      record = json.loads(self.config_path.read_text(encoding='utf-8'))
      entry['changed'] = _changes(
        [record, *record['resumed']][-1]['config'], entry['config']
      )
      for name, (old, new) in entry['changed'].items():
        logging.warning('Resumed with %s=%r; it was %r.', name, new, old)
      record['resumed'].append(entry)
    else:
      record = dict(entry, resumed=[])
    write_json(self.config_path, record)

  def make_logger(
    self, label: str, steps_key: str = loggers.STEPS_KEY
  ) -> loggers.Logger:
    """Makes the logger of one node; call it in that node.

    Args:
      label: of the node, its own.
      steps_key: the count of environment steps among the values.

    Returns:
      A logger, see `loggers.make_logger`.
    """
    return loggers.make_logger(self.logs, label, steps_key)

  def _check_resumable(self) -> None:
    if not self.config_path.is_file():
      raise FileNotFoundError(
        f'{self.path} holds no run that could be resumed: start one there '
        'without --resume, or correct --run_dir.'
      )
    if not self.checkpoint_path.exists():
      raise FileNotFoundError(
        f'The run in {self.path} ended before its first checkpoint, so that '
        'it cannot be resumed: start it again in another directory (--run_dir).'
      )


def write_json(path: pathlib.Path, content: Any) -> None:
  """Writes a file aside and renames it: it is never there in part."""
  aside = path.with_name(path.name + '.new')
  aside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
  os.replace(aside, path)


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None


def _changes(
  old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, list[Any]]:
  """Returns name -> [old, new] of all settings that differ."""
  return {
    name: [old.get(name), new.get(name)]
    for name in sorted(old.keys() | new.keys())
    if old.get(name) != new.get(name)
  }


def _to_json(value: Any) -> Any:
  """Turns what JSON does not know into what it does."""
  if dataclasses.is_dataclass(value) and not isinstance(value, type):
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
  if isinstance(value, (np.generic, np.ndarray)):
    return value.tolist()
  if isinstance(value, Mapping):
    return dict(value)
  return str(value) if isinstance(value, os.PathLike) else repr(value)
