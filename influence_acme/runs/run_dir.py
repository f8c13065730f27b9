"""The directory of a run: where everything lies that a run leaves behind."""

import contextlib
import dataclasses
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from influence_acme.runs import config_file, csv_log, lock, loggers


class _Entry:
  """The path of an entry of a run's directory, which need not be there."""

  def __init__(self, name: str):
    self._name = name

  def __get__(self, run: Any, cls: type) -> pathlib.Path:
    path: pathlib.Path = run.path
    return path / self._name


@dataclasses.dataclass(frozen=True)
class RunDirectory:
  """The layout of a run's directory. Making one touches no file.

      config.json            all settings, versions and the seed
      logs/LABEL.csv         what the node LABEL logged
      logs/tensorboard/      the same for TensorBoard
      checkpoint             the last one, to resume from
      failure.txt            the traceback of a node that failed, if one did
      failure.HOST.txt       the same of another host, if there are several
      hosts.log              which of these took part, and were lost
      lock                   while a program runs: its process and host
      curves.png             the learning curves
      episode.gif            an episode played by the final population
      episode.npz            what happened in it, as arrays
      influence_matrix.png   who influenced whom in it, and the numbers in
      influence_matrix.csv
      evaluation/            the same of an evaluation of the run
      headline.txt           what its page opens with, if there is one
      report.html            all of this on one page

  It may be sent to other processes.

  Attributes:
    path: absolute, with no '~' in it.
    host: name of this host, if the learner is on another one; else ''.
  """

  path: pathlib.Path
  host: str = ''
  config_path = _Entry('config.json')
  checkpoint_path = _Entry('checkpoint')
  hosts_path = _Entry('hosts.log')
  headline_path = _Entry('headline.txt')
  logs = _Entry('logs')
  curves_path = _Entry('curves.png')
  evaluation_path = _Entry('evaluation')
  video_path = _Entry('episode.gif')
  episode_path = _Entry('episode.npz')
  influence_matrix_path = _Entry('influence_matrix.png')
  report_path = _Entry('report.html')

  def __init__(self, path: str | os.PathLike[str], host: str = ''):
    """Names a directory; see `prepare`."""
    absolute = pathlib.Path(path).expanduser().absolute()
    object.__setattr__(self, 'path', absolute)
    object.__setattr__(self, 'host', host)

  @property
  def failure_path(self) -> pathlib.Path:
    """The traceback of a node that failed; no file if none did."""
    name = f'failure.{self.host}.txt' if self.host else 'failure.txt'
    return self.path / name

  def check(self, *, resume: bool = False) -> None:
    """Checks that a run can start here; no file is touched.

    One that ended before its first checkpoint starts anew, with and without
    `resume`.

    Raises:
      FileExistsError: a run lies there, and is not to be resumed.
      FileNotFoundError: there is nothing to resume.
    """
    is_there = self.config_path.is_file()
    if resume and not is_there:
      raise FileNotFoundError(
        f'{self.path} holds no run that could be resumed: start one there '
        'without --resume, or correct --run_dir.'
      )
    has_begun = is_there and (self._has_learned() or not self.logs.is_dir())
    if resume and has_begun and not self.checkpoint_path.exists():
      raise FileNotFoundError(
        f'{self.path} has no checkpoint {self.checkpoint_path.name!r} to go on '
        'from: put a copy of it there if you have one, or start again in '
        'another directory (--run_dir).'
      )
    if not resume and (has_begun or self.checkpoint_path.exists()):
      raise FileExistsError(
        f'{self.path} holds a run already: resume it (--resume), or choose '
        'another directory (--run_dir).'
      )

  @contextlib.contextmanager
  def hold(self) -> Iterator[None]:
    """Makes the directory, and keeps other programs out while entered.

    Raises:
      InUseError: another program runs in it.
      PermissionError: the directory cannot be written, for whatever reason.
    """
    with self._writing():
      self.path.mkdir(parents=True, exist_ok=True)
      held = lock.acquire(self.path / 'lock')
    try:
      yield
    finally:
      lock.release(held)

  def prepare(self, *, resume: bool = False) -> None:
    """Makes the directory ready for a run, before anything costly starts.

    Raises:
      OSError: as of `check`.
      PermissionError: the directory cannot be written, for whatever reason.
    """
    self.check(resume=resume)
    self.prepare_host()
    with self._writing():
      if not self.checkpoint_path.exists():
        self.config_path.unlink(missing_ok=True)
      for path in sorted(self.logs.glob('*.csv')):
        if not csv_log.is_log(path, loggers.STEPS_KEY):
          _move_aside(path)

  def prepare_host(self) -> None:
    """Makes the directory ready for a host without the learner.

    Raises:
      PermissionError: the directory cannot be written, for whatever reason.
    """
    with self._writing():
      self.logs.mkdir(parents=True, exist_ok=True)
      # Whoever finds it takes the run for a failed one.
      self.failure_path.unlink(missing_ok=True)

  def check_writable(self) -> None:
    """Raises PermissionError: the directory was made read-only in mid-run."""
    with self._writing(), tempfile.TemporaryFile(dir=self.path):
      pass

  def write_config(self, settings: Mapping[str, Any]) -> None:
    """Writes down a start of the run, see `config_file.write`."""
    config_file.write(self.config_path, settings)

  def make_logger(
    self, label: str, logger_factory: loggers.LoggerFactory | None = None
  ) -> loggers.Logger:
    """Makes the logger of one node, in that node; see `loggers.make_logger`."""
    return loggers.make_logger(self.logs, label, logger_factory=logger_factory)

  def _has_learned(self) -> bool:
    """Returns whether the learner has logged a row."""
    path = self.logs / 'learner.csv'
    return path.is_file() and path.read_bytes().count(b'\n') > 1

  @contextlib.contextmanager
  def _writing(self) -> Iterator[None]:
    """Raises PermissionError, with advice, for errors of the file system."""
    try:
      yield
    except lock.InUseError:
      raise
    except OSError as error:
      raise PermissionError(
        f'Cannot write to the run directory {self.path}: {error}. Choose '
        'another one (--run_dir).'
      ) from error


def _move_aside(path: pathlib.Path) -> None:
  """Makes way for a log where a file lies that is none."""
  aside = path.with_name(path.name + '.not_a_log')
  os.replace(path, aside)
  print(f'{path} is no log of a run: it is now {aside}.', file=sys.stderr)
