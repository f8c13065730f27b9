"""Runs a program of which nothing may be left."""

import os
import subprocess
import time

import psutil


def run(command, log, timeout_s, env=None):
  """Runs a command in a session of its own, which ends with it.

  Args:
    command: with its arguments.
    log: the path that its output goes to.
    timeout_s: seconds; then all of it is killed.
    env: its environment; None for that of this process.

  Returns:
    The exit code, and the processes that were there a second after its end.
    They are killed.

  Raises:
    subprocess.TimeoutExpired: it took longer.
  """
  with log.open('wb') as file:
    process = subprocess.Popen(
      command, stdout=file, stderr=file, start_new_session=True, env=env
    )
  try:
    code = process.wait(timeout_s)
    time.sleep(1)
    return code, _processes_of(process.pid)
  finally:
    for other in _processes_of(process.pid):
      other.kill()


def _processes_of(session):
  """Returns the living processes of a session."""
  found = []
  for process in psutil.process_iter():
    try:
      in_session = os.getsid(process.pid) == session
      if in_session and process.status() != psutil.STATUS_ZOMBIE:
        found.append(process)
    except (ProcessLookupError, psutil.NoSuchProcess):
      continue
  return found
