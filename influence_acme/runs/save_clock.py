"""Says when the next checkpoint is due."""

import time

from influence_acme.runs import run_dir

# From one look at whether the directory can be written to the next.
_LOOK_SECONDS = 10.0


class SaveClock:
  """Counts the time between checkpoints, and looks after their directory."""

  def __init__(self, directory: run_dir.RunDirectory, seconds: float):
    """Starts, as if a checkpoint had just been written."""
    self._directory = directory
    self._seconds = seconds
    self._saved = self._looked = time.monotonic()

  def is_due(self) -> bool:
    """Returns whether to write a checkpoint now.

    Raises:
      PermissionError: none could be written, as the directory is read-only.
    """
    now = time.monotonic()
    if now - self._saved > self._seconds:
      self._saved = now
      return True
    if now - self._looked > _LOOK_SECONDS:
      self._directory.check_writable()
      self._looked = now
    return False
