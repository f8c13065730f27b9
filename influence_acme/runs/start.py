"""Starts runs in their directories; what can be refused is refused first."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from influence_acme.runs import (
  checkpoint,
  config_file,
  malloc,
  run_dir,
  signals,
)


class Run(NamedTuple):
  """Says what starts, or goes on, in a directory.

  Attributes:
    directory: of the run.
    settings: of the run by name, for its `config.json`.
    restore: called before any file is touched, if there is a checkpoint; takes
      whether settings were changed that define the experiment.
    resume: whether to go on with the run that lies there.
  """

  directory: run_dir.RunDirectory
  settings: Mapping[str, Any]
  restore: Callable[[bool], Any]
  resume: bool


@contextlib.contextmanager
def start(
  runs: Sequence[Run],
  *,
  allow_changes: Iterable[str] = (),
  writes: bool = True,
  wait: Callable[[], Any] = lambda: None,
) -> Iterator[None]:
  """Holds the directories of runs that start, or go on, while entered.

  Args:
    runs: of one program; all or none of them start.
    allow_changes: names of settings that may differ from those of the runs that
      go on.
    writes: False in all processes of a run but one; these touch no file.
    wait: called before the first file is written; waits for other processes,
      that have then read what they go on from.

  Raises:
    CheckpointError: the run cannot go on, as of `restore`, or settings differ.
    OSError: a directory holds a run already, or nothing to resume, or is in
      use, or cannot be written.
    RuntimeError: this is not the main thread.
    ValueError: what lies there is no run.
  """
  signals.check_main_thread()
  for run in runs:
    config_file.to_json(run.settings)  # Raises what cannot be written.
    run.directory.check(resume=run.resume)
  with contextlib.ExitStack() as held:
    if writes:
      for run in runs:
        held.enter_context(run.directory.hold())
    changes = [_restore(run, allow_changes) for run in runs]
    malloc.keep()
    wait()
    if writes:
      old = [_old_settings(run) for run in runs]
      for run in runs:
        run.directory.prepare(resume=run.resume)
      for each in zip(runs, changes, old, strict=True):
        _write(*each)
    yield


def _restore(run: Run, allow_changes: Iterable[str]) -> bool:
  """Reads what a run goes on from; returns whether its experiment changed."""
  run.directory.check(resume=run.resume)  # Another one may have gone before.
  if not run.directory.checkpoint_path.exists():
    return False
  path = run.directory.config_path
  has_changed = bool(config_file.check(path, run.settings, allow_changes))
  run.restore(has_changed)
  return has_changed


def _old_settings(run: Run) -> Mapping[str, Any] | None:
  """Returns the settings of a run that goes on."""
  if not run.directory.checkpoint_path.exists():
    return None
  return config_file.last_settings(run.directory.config_path)


def _write(run: Run, has_changed: bool, old: Mapping[str, Any] | None) -> None:
  """Writes the settings down, and says what a resume changes."""
  if has_changed:
    # Else a program that ends before it saves would leave the environments
    # of the old settings beside the new ones.
    checkpoint.forget_rollout(run.directory.checkpoint_path)
  run.directory.write_config(run.settings)
  if old is not None:
    _tell(config_file.differences(old, run.settings))


def _tell(differences: Mapping[str, list[Any]]) -> None:
  """Says what a resume changes, and what it may change."""
  told = [
    f'{k} is {new!r}, was {old!r}' for k, (old, new) in differences.items()
  ]
  print(
    f'Resumed with {"; ".join(told) or "the settings of before"}. A resume may '
    f'change {", ".join(config_file.MAY_CHANGE[:6])}; any other setting only '
    'by --allow_changes=NAME,...',
    file=sys.stderr,
  )
