"""Runs that are killed, stopped or starved at a moment, and then go on.

A few for each way to run by default. All 42 by one command, in an hour or
two:

  INFLUENCE_ACME_MOMENTS=all pytest -m slow \
    tests/training/moments_test.py tests/programs/moments_test.py
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from influence_acme.runs import checkpoint, csv_log, run_dir

_ROOT = pathlib.Path(__file__).parent.parent
# What comes, and the exit code that must follow.
_ENDS = {'INT': 130, 'TERM': 143, 'KILL': 137, 'full': 1, 'read-only': 1}
# When: so many rows of the log; -1: the directory has just been made.
ALL = [
  *[(end, 2) for end in _ENDS],
  *[(end, -1) for end in ('INT', 'TERM', 'KILL')],
  *[(end, 20) for end in _ENDS],
  ('KILL', 60),
]
# In a file system of its own: fills it up, or makes it read-only, or sends a
# signal; then goes on with the run, once the cause is gone.
_SCRIPT = r"""
set -m
end=$1 rows=$2 room=$3 copy=$4; shift 4
mount -t tmpfs -o size=32m tmpfs "$room" || exit 77
"$@" --num_steps=100000000 & pid=$!
count() { cat "$room/run/logs/learner.csv" 2> /dev/null | wc -l; }
until [ -d "$room/run" ] && [ "$(count)" -gt "$rows" ]; do
  kill -0 $pid || exit 78
  sleep 0.05
done
case $end in
  full) cat /dev/zero > "$room/fill" ;;
  # Files are open, so that only a mount above it can be read-only.
  read-only) mount --bind "$room" "$room"; mount -o remount,bind,ro "$room" ;;
  *) kill -$end $pid ;;
esac
wait $pid; echo "code $?"
cp -r "$room/run" "$copy/before"
if [ $end = read-only ]; then umount "$room"; fi
rm -f "$room/fill"
[ -e "$copy/before/checkpoint" ] && set -- "$@" --resume
"$@" --num_steps=$(($(tail -n 1 "$copy"/before/logs/learner.csv \
  2> /dev/null | cut -d, -f1 | grep '^[0-9]*$' || echo 0) + 500))
echo "code $?"
cp -r "$room/run" "$copy/after"
"""


def sample(*few):
  """Returns the moments to test: these few, or all of them."""
  return ALL if os.environ.get('INFLUENCE_ACME_MOMENTS') == 'all' else few


def check(tmp_path, end, rows, command):
  """Checks that a run ends as it must, leaves nothing behind, and goes on.

  Args:
    tmp_path: an empty directory.
    end: one of `_ENDS`.
    rows: as of `ALL`.
    command: starts a run; takes --run_dir, --num_steps and --resume.
  """
  if shutil.which('unshare') is None:
    pytest.skip('There is no unshare here.')
  room, log = tmp_path / 'room', tmp_path / 'log.txt'
  room.mkdir()
  inside = ('unshare', '--user', '--map-root-user', '--mount', 'bash', '-c')
  path = os.pathsep.join([str(_ROOT), os.environ.get('PYTHONPATH', '')])
  with log.open('wb') as file:
    process = subprocess.Popen(
      [
        *(*inside, _SCRIPT, 'moment', end, str(rows), str(room)),
        *(str(tmp_path), *command, f'--run_dir={room}/run'),
      ],
      env={**os.environ, 'PYTHONPATH': path, 'JAX_PLATFORMS': 'cpu'},
      stdout=file,
      stderr=file,
      start_new_session=True,  # By which to find what is left.
    )
  try:
    code = process.wait(400)
    time.sleep(1)
    left = _of_session(process.pid)
  finally:
    for pid in _of_session(process.pid):
      os.kill(pid, signal.SIGKILL)
  told = log.read_text(errors='replace')
  if code in (1, 77) and 'code' not in told:
    pytest.skip(f'A file system cannot be mounted here: {told}')
  codes = [x for x in told.splitlines() if x.startswith('code ')]
  assert codes == [f'code {_ENDS[end]}', 'code 0'], told
  assert not left, told
  if rows > 0:
    before = csv_log.read_log(tmp_path / 'before' / 'logs' / 'learner.csv')
    after = run_dir.RunDirectory(tmp_path / 'after').checkpoint_path
    steps = checkpoint.load(after).counts['environment_steps']
    assert steps >= before['environment_steps'][-1]


def _of_session(session):
  """Returns the processes of a session, but for those that have ended."""
  found = []
  for entry in pathlib.Path('/proc').glob('[0-9]*/stat'):
    try:
      # After the name, which may hold anything: state, parent, group, session.
      state, _, _, own = entry.read_text().rpartition(')')[2].split()[:4]
    except OSError:
      continue
    if int(own) == session and state not in 'ZX':
      found.append(int(entry.parent.name))
  return found
