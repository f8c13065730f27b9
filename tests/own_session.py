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
    return code, processes(process.pid)
  finally:
    for other in processes(process.pid):
      other.kill()


def processes(session, argument=''):
  """Returns the living processes of a session.

  Args:
    session: its number.
    argument: on their command lines; '' for all.
  """
  found = []
  for process in psutil.process_iter():
    try:
      if (
        os.getsid(process.pid) == session
        and process.status() != psutil.STATUS_ZOMBIE
        and argument in ['', *process.cmdline()]
      ):
        found.append(process)
    except (ProcessLookupError, psutil.NoSuchProcess):
      continue
  return found
