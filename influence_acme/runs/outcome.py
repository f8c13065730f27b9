"""Says how a run ended, and how to go on with it."""

import os
import shlex
import sys

from absl import flags

from influence_acme.runs import failures, run_dir

# The flags of a command that can go on with a run, and our own with these: the
# module and the script.
_FLAGS = ('resume', 'run_dir')
_COMMANDS = (__name__.replace('runs.outcome', 'train'), 'influence-train')


def conclude(
  directory: run_dir.RunDirectory,
  *,
  is_done: bool,
  signal_number: int,
  of_all: run_dir.RunDirectory | None = None,
) -> int:
  """Says how a run ended, by a signal if its number is not 0.

  The command to go on names its directory, or that `of_all`.

  Returns:
    The exit code: 0 if it is done, 1 if it failed, 128 + the signal's number.
  """
  resumed = of_all or directory
  go_on = f'resume the run in {resumed.path}'
  if command := resume_command(resumed):
    go_on = f'go on with\n  {command}'
  path = directory.failure_path
  if not (path.exists() or is_done or signal_number):
    summary = 'it ended, but its step budget is not reached.'
    failures.report_failure(path, 'run', summary)
  if path.exists():
    lines = path.read_text(encoding='utf-8').splitlines() or ['It failed.']
    _tell(
      f'{lines[0]}\nThe traceback is in {path}. Once the cause is gone, {go_on}'
    )
    return 1
  if is_done:
    return 0
  if not signal_number:
    return 1  # The disk is full: all there is to say was printed.
  _tell(f'Stopped: {go_on}')
  return 128 + signal_number


def resume_command(directory: run_dir.RunDirectory) -> str:
  """Returns the command that goes on with this process's run.

  It is '' if this process was started by one without flags for it.
  """
  main = getattr(sys.modules['__main__'], '__spec__', None)
  started = main.name if main else os.path.basename(sys.argv[0])
  if started not in _COMMANDS and not all(x in flags.FLAGS for x in _FLAGS):
    return ''
  words = iter(sys.orig_argv)
  kept = []
  for word in words:
    name = word.removeprefix('--').partition('=')[0]
    if not word.startswith('--') or name.replace('-', '_') not in _FLAGS:
      kept.append(word)
    elif name != 'resume' and '=' not in word:
      next(words, None)  # The value of --run_dir is a word of its own.
  return shlex.join([*kept, '--resume', f'--run_dir={directory.path}'])


def _tell(text: str) -> None:
  print(text, file=sys.stderr, flush=True)
