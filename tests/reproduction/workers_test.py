"""Runs that are parted among workers."""

import pytest

from influence_acme.reproduction import runner
from influence_acme.runs import lock, run_dir


@pytest.mark.parametrize('count', [1, 2, 3, 7, 12])
def test_each_run_is_in_one_shard(count):
  runs = list(range(10))
  parts = [runner.part_of(runs, f'{i}/{count}') for i in range(count)]
  assert sorted(x for part in parts for x in part) == runs
  assert parts[0] == runs[::count]


@pytest.mark.parametrize(
  'part', ['', '3', '2/2', '-1/2', '0/0', 'a/b', '0/1.5']
)
def test_what_is_no_shard_is_refused(part):
  with pytest.raises(ValueError, match='it must be i/n with 0 <= i < n'):
    runner.part_of([], part)


def test_a_run_has_one_worker(tmp_path):
  directory = run_dir.RunDirectory(tmp_path / 'moa' / 'seed_0')
  with runner.claim(directory):
    assert not directory.path.exists()
    with (
      pytest.raises(lock.InUseError, match=r'moa/seed_0 is in use by process'),
      runner.claim(directory),
    ):
      pass
    with runner.claim(run_dir.RunDirectory(tmp_path / 'moa' / 'seed_1')):
      pass
  with runner.claim(directory):
    pass
  assert not list(directory.path.parent.iterdir())
