"""Network namespaces that stand for hosts, joined by a bridge.

Nobody else sees them; they need no rights but those to make a user namespace.
"""

import contextlib
import shutil
import subprocess

import pytest

ADDRESS = '10.77.0.{}'  # Of host 1, 2, ...
_SCRIPT = """
set -e
ip link add bridge type bridge
ip link set bridge up
for i in $(seq $1); do
  unshare --net sleep infinity & pid=$!
  while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do
    sleep 0.05
  done
  ip link add port$i type veth peer name eth0 netns $pid
  ip link set port$i master bridge up
  nsenter --net --target $pid sh -e -c "ip link set lo up
    ip addr add 10.77.0.$i/24 dev eth0
    ip link set eth0 up"
  pids="$pids $pid"
done
echo $pids
read -r _ || true  # Until the test ends.
kill $pids
"""


@contextlib.contextmanager
def make(number):
  """Makes hosts that reach each other, or skips the test.

  Args:
    number: of hosts.

  Yields:
    For each host the words before a command that is to run on it.
  """
  for tool in ('ip', 'unshare', 'nsenter'):
    if not shutil.which(tool):
      pytest.skip(f'Network namespaces need the command {tool}.')
  process = subprocess.Popen(
    ('unshare', '--map-root-user', '--net', 'sh', '-c', _SCRIPT)
    + ('hosts', str(number)),
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  assert process.stdout
  pids = process.stdout.readline().split()
  if len(pids) < number:
    reason = process.communicate()[1].strip()
    pytest.skip(f'Network namespaces are not allowed here: {reason}')
  enter = ('nsenter', '--user', '--net', '--preserve-credentials', '--target')
  try:
    yield [(*enter, pid) for pid in pids]
  finally:
    process.communicate('\n')
