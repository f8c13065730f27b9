"""Starts a run in its directory: all that can be refused is refused first."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from influence_acme.runs import (
  checkpoint,
  config_file,
  malloc,
  run_dir,
  signals,
)


@contextlib.contextmanager
def start(
  directory: run_dir.RunDirectory,
  settings: Mapping[str, Any],
  restore: Callable[[bool], Any],
  *,
  resume: bool,
  allow_changes: Iterable[str] = (),
  writes: bool = True,
  wait: Callable[[], Any] = lambda: None,
) -> Iterator[None]:
  """Holds the directory of a run that starts, or goes on, while entered.

  Args:
    directory: of the run.
    settings: of the run by name, for its `config.json`.
    restore: called before any file is touched, if there is a checkpoint; takes
      whether settings were changed that define the experiment, and raises
      `CheckpointError` if the run cannot go on from it.
    resume: whether to go on with the run that lies there.
    allow_changes: names of settings that may differ from that run's.
    writes: False in all processes of a run but one; these touch no file.
    wait: called before the first file is written; waits for other processes,
      that have then read what they go on from.

  Raises:
    CheckpointError: as of `restore`; or settings differ.
    OSError: the directory holds a run already, or nothing to resume, or is in
      use, or cannot be written.
    RuntimeError: this is not the main thread.
    ValueError: what lies there is no run.
  """
  signals.check_main_thread()
  config_file.to_json(settings)  # Raises what cannot be written.
  directory.check(resume=resume)
  with directory.hold() if writes else contextlib.nullcontext():
    directory.check(resume=resume)  # Another one may have gone before.
    goes_on = directory.checkpoint_path.exists()
    differences, changed = {}, {}
    if goes_on:
      changed = config_file.check(
        directory.config_path, settings, allow_changes
      )
      old = config_file.last_settings(directory.config_path)
      differences = config_file.differences(old, settings)
      restore(bool(changed))
    malloc.keep()
    wait()
    if not writes:
      yield
      return
    directory.prepare(resume=resume)
    if changed:
      # Else a program that ends before it saves would leave the environments
      # of the old settings beside the new ones.
      checkpoint.forget_rollout(directory.checkpoint_path)
    directory.write_config(settings)
    if goes_on:
      _tell(differences)
    yield


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
