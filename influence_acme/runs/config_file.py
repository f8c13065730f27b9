"""Writes, reads and compares `config.json`: the settings of a run.

Settings of its resumes are added under 'resumed', with what they changed. A
resume may change `MAY_CHANGE`. Any other setting defines the experiment: a
change is refused unless it is allowed by name.
"""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from influence_acme.runs import checkpoint, identity

# How long and in what way a run goes; in a sweep, which runs it has; in an
# example, what it does after the run.
MAY_CHANGE = (
  *('num_steps', 'num_actors', 'num_environments', 'launch', 'seed'),
  *('checkpoint_seconds', 'variants', 'seeds', 'search'),
  *('num_episodes', 'draw', 'hosts', 'mesh'),
)
# Say where and how a command was given: no settings of a run.
_OF_COMMAND = ('run_dir', 'path', 'resume', 'allow_changes')
# Names that users give otherwise.
_ALIASES = {'environment': 'game', 'functional_environment.name': 'game'}
# Whose versions a result may depend on; names as pip knows them.
_PACKAGES = (
  *('influence_acme', 'dm-acme', 'dm-launchpad', 'dm-reverb', 'tensorflow-cpu'),
  *('jax', 'jaxlib', 'dm-haiku', 'chex', 'optax', 'rlax', 'dm-env', 'numpy'),
)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
  """Reads the first start of a run, with the others in the entry 'resumed'.

  Raises:
    OSError: it cannot be read.
    ValueError: it is not the configuration of a run.
  """
  path = pathlib.Path(path)
  try:
    record = json.loads(path.read_text(encoding='utf-8'))
  except (ValueError, RecursionError) as error:
    raise ValueError(f'{path} is not JSON: {error}.') from error
  resumed = record.get('resumed', []) if isinstance(record, dict) else None
  if not isinstance(resumed, list) or not all(
    isinstance(entry, dict) and isinstance(entry.get('config'), dict)
    for entry in [record, *resumed]
  ):
    raise ValueError(
      f"{path} is not the configuration of a run: it has no entry 'config' "
      'that is a dict.'
    )
  return {**record, 'resumed': resumed}


def last_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
  """Returns the settings of a run's last start, as `read` does."""
  return _last(read(path))


def _last(record: dict[str, Any]) -> dict[str, Any]:
  settings: dict[str, Any] = [record, *record['resumed']][-1]['config']
  return settings


def write(path: pathlib.Path, settings: Mapping[str, Any]) -> None:
  """Writes down a start of a run and its settings, beside those there."""
  entry: dict[str, Any] = {
    'started': datetime.datetime.now().astimezone().isoformat('T', 'seconds'),
    'command': sys.argv,
    'config': to_json(settings),
    'python': platform.python_version(),
    'platform': platform.platform(),
    'host': socket.gethostname(),
    'commit': _commit(),
    'versions': {name: _version(name) for name in _PACKAGES},
  }
  record = dict(entry, resumed=[])
  if path.exists():
    record = read(path)
    changed = differences(_last(record), settings)
    record['resumed'].append(dict(entry, changed=changed))
  write_json(path, record)


def _commit() -> str:
  """Returns the commit of a checkout that this code lies in; '' if none."""
  root = pathlib.Path(__file__).resolve().parents[2]
  # Without it the package is installed, perhaps in another checkout.
  if not (root / '.git').exists() or not shutil.which('git'):
    return ''
  command = ['git', 'describe', '--always', '--dirty', '--exclude=*']
  done = subprocess.run(command, cwd=root, capture_output=True, check=False)
  return done.stdout.decode().strip()


def write_json(path: pathlib.Path, content: Any) -> None:
  """Writes a file aside, each process its own, and renames it when whole."""
  aside = path.with_name(f'{path.name}.{os.getpid()}.new')
  aside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
  os.replace(aside, path)


def differences(
  old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, list[Any]]:
  """Returns name -> [old, new] of the settings that differ.

  Names are those of fields, however deep they lie; None is for what is missing.
  """
  old, new = _flatten(to_json(old)), _flatten(to_json(new))
  found: dict[str, list[Any]] = {}
  for name in sorted(old.keys() | new.keys()):
    pair = [old.get(name), new.get(name)]
    # Two NaN are no difference, and neither are 1 and 1.0.
    if pair[0] != pair[1] and json.dumps(pair[0]) != json.dumps(pair[1]):
      short = _ALIASES.get(name, name.rsplit('.')[-1])
      if '.' in name and short in (*MAY_CHANGE, *_OF_COMMAND):
        short = name  # Not the run's own setting of this name.
      if short not in _OF_COMMAND:
        found[short if found.get(short, pair) == pair else name] = pair
  return found


def check(
  path: pathlib.Path,
  settings: Mapping[str, Any],
  allow_changes: Iterable[str] = (),
) -> dict[str, list[Any]]:
  """Checks that a resume is of the same experiment.

  Settings that only one of both has are no reason to refuse it: another
  version, or way to run it, may write others.

  Returns:
    Name -> [old, new] of those that differ and define the experiment.

  Raises:
    ValueError: the file is not the configuration of a run.
    CheckpointError: settings differ that are not allowed to.
  """
  old, new = _flatten(last_settings(path)), _flatten(to_json(settings))
  shared = old.keys() & new.keys()
  differing = differences(*({k: x[k] for k in shared} for x in (old, new)))
  changed = {k: x for k, x in differing.items() if k not in MAY_CHANGE}
  allowed = identity.allowed_names(allow_changes)
  refused = [x for x in changed if x not in allowed]
  if refused:
    told = '; '.join(
      f'its {name} is {changed[name][0]!r}, that of this run '
      f'{changed[name][1]!r}'
      for name in refused
    )
    raise checkpoint.CheckpointError(
      f'The run in {path.parent} is of another experiment: {told}. Set it as '
      'it was, start a new run in another directory (--run_dir), or go on with '
      f'the change: --allow_changes={",".join(refused)}. Without that, a '
      f'resume may change {", ".join(MAY_CHANGE[:6])}.'
    )
  return changed


def _flatten(settings: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
  """Returns dotted name -> value that is no dict."""
  flat: dict[str, Any] = {}
  for key, value in settings.items():
    if isinstance(value, Mapping):
      flat |= _flatten(value, f'{prefix}{key}.')
    else:
      flat[prefix + key] = value
  return flat


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None


def to_json(settings: Mapping[str, Any]) -> dict[str, Any]:
  """Returns settings as they are read from a file.

  Raises:
    TypeError: a dict in them has keys that are no strings.
  """
  content: dict[str, Any] = json.loads(
    json.dumps(dict(settings), default=_encode)
  )
  return content


def _encode(value: Any) -> Any:
  """Turns what JSON does not know into what it does."""
  if dataclasses.is_dataclass(value) and not isinstance(value, type):
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
  if isinstance(value, (np.generic, np.ndarray)):
    return value.tolist()
  if isinstance(value, (set, frozenset)):  # Their order is another each time.
    return sorted(value, key=repr)
  if isinstance(value, Mapping):
    return dict(value)
  if isinstance(value, os.PathLike):
    return str(value)
  # Of a function: the same in every process.
  return re.sub(r' at 0x[0-9a-f]+', '', repr(value))
