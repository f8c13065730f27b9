"""Runs as they lie on disk, of untrained agents of any variant."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import saved_runs  # noqa: E402


@pytest.fixture
def save_run(tmp_path):
  """Writes a run: (config, ...) -> its directory, see `saved_runs.save`."""
  return lambda *args: saved_runs.save(tmp_path / 'run', *args)
