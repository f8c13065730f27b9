"""Runs that are killed, stopped or starved at moments of all kinds.

Four by default. All forty by one command, in an hour or two:

  INFLUENCE_ACME_MOMENTS=40 pytest -m slow tests/training/moments_test.py
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import tiny

from influence_acme.runs import csv_log

_ROOT = pathlib.Path(__file__).parent.parent.parent
# What comes, and the exit code that must follow.
_ENDS = {'INT': 130, 'TERM': 143, 'KILL': 137, 'full': 1, 'read-only': 1}
# In a file system of its own: fills it up, or makes it read-only, or sends a
# signal; then goes on with the run, once the cause is gone. The log has as many
# rows at that moment as are given; -1: the directory has just been made.
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


def _moments():
  """Returns each end at early and later moments, as many as are asked for."""
  number = int(os.environ.get('INFLUENCE_ACME_MOMENTS', '0'))
  if not number:  # What comes while it runs is tested with the command itself.
    return [('KILL', 2), ('full', 2), ('read-only', 2), ('INT', -1)]
  found = [
    (end, rows)
    for rows in (2, -1, 20, 0, 5, 40, 1, 80, 10)
    for end in _ENDS
    if rows >= 0 or end in ('INT', 'TERM', 'KILL')
  ]
  return found[:number]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('end, rows', _moments())
def test_it_ends_as_it_must_and_goes_on(tmp_path, end, rows):
  room = tmp_path / 'room'
  room.mkdir()
  command = [
    *('unshare', '--user', '--map-root-user', '--mount', 'bash', '-c', _SCRIPT),
    *('moment', end, str(rows), str(room), str(tmp_path)),
    *(sys.executable, '-m', 'influence_acme.train', f'--run_dir={room}/run'),
    *('--game=coordination', '--variant=moa', '--hidden_size=8'),
    *('--unroll_length=16', '--batch_size=8', '--max_queue_size=8'),
    '--checkpoint_seconds=5',
  ]
  if shutil.which('unshare') is None:
    pytest.skip('There is no unshare here.')
  done = subprocess.run(
    command,
    env={**os.environ, 'PYTHONPATH': str(_ROOT), 'JAX_PLATFORMS': 'cpu'},
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    timeout=850,
  )
  if done.returncode in (1, 77) and 'code' not in done.stdout:
    pytest.skip(f'A file system cannot be mounted here: {done.stdout}')
  codes = [x for x in done.stdout.splitlines() if x.startswith('code ')]
  assert codes == [f'code {_ENDS[end]}', 'code 0'], done.stdout
  if rows > 0:
    log = csv_log.read_log(tmp_path / 'before' / 'logs' / 'learner.csv')
    saved = tiny.load(tmp_path / 'after').counts
    assert saved['environment_steps'] >= log['environment_steps'][-1]
