"""Keeps a second program out of a run's directory, by a locked file in it.

The file names its owner by process and host. The system gives the lock up with
the process, however that ends; a file of another host may be that of a run that
still goes, which cannot be told from here.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import socket
from typing import Any, TextIO


class InUseError(OSError):
  """Another program runs in the directory; the message says which."""


class AbandonedError(InUseError):
  """Another host's program has left its lock, if it does not run still."""


def acquire(path: pathlib.Path, what: pathlib.Path | None = None) -> TextIO:
  """Takes the lock; close the open file that it returns by `release`.

  Args:
    path: of its file, whose directory must be there.
    what: is locked, for messages; the file's directory if None.

  Raises:
    InUseError: another program has it, or `AbandonedError`: had it.
    OSError: the file cannot be written.
  """
  while True:
    file = open(path, 'a+', encoding='utf-8')  # noqa: SIM115
    try:
      _lock(file, path, what or path.parent)
      # Its owner may just have removed it, so that another one lies there.
      if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
        file.truncate(0)
        json.dump({'pid': os.getpid(), 'host': socket.gethostname()}, file)
        file.flush()
        return file
    except FileNotFoundError:
      pass
    except BaseException:
      file.close()
      raise
    file.close()


def release(file: TextIO) -> None:
  """Gives the lock up, and removes its file."""
  with contextlib.suppress(OSError):  # The directory may be read-only by now.
    # If it was moved away, another program's may lie there.
    if os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)):
      os.unlink(file.name)
  file.close()


def _lock(file: TextIO, path: pathlib.Path, what: pathlib.Path) -> None:
  """Locks a file; raises `InUseError` if another program has it."""
  owner = _read(path)
  try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    is_taken = False
  except BlockingIOError:
    is_taken = True
  except OSError:  # A file system without locks.
    is_taken = _is_alive(owner)
  by = f'process {owner.get("pid")} on {owner.get("host")}'
  if is_taken:
    raise InUseError(
      f'{what} is in use by {by}: wait for its end, or choose another '
      'directory (--run_dir).'
    )
  if owner and owner.get('host') != socket.gethostname():
    raise AbandonedError(
      f'{what} was in use by {by}, another host: if that has ended, '
      f'remove {path}; else choose another directory (--run_dir).'
    )


def _read(path: pathlib.Path) -> dict[str, Any]:
  """Returns the owner by 'pid' and 'host'; {} if none is named."""
  try:
    owner = json.loads(path.read_text(encoding='utf-8'))
  except (OSError, ValueError):
    return {}
  return owner if isinstance(owner, dict) else {}


def _is_alive(owner: dict[str, Any]) -> bool:
  """Returns whether a process of this host still runs."""
  if owner.get('host') != socket.gethostname() or 'pid' not in owner:
    return False
  try:
    os.kill(owner['pid'], 0)
  except OSError as error:
    return isinstance(error, PermissionError)  # Somebody else's runs.
  return True
