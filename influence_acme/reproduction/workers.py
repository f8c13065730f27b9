"""Parts runs among workers, on one machine or several.

Each takes a shard of its own; or all take what no other one has.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

from influence_acme.runs import lock, run_dir

_Run = TypeVar('_Run')


def shard(runs: Sequence[_Run], part: str) -> list[_Run]:
  """Returns the runs i, i + n, i + 2n, ... of a part 'i/n', with 0 <= i < n.

  Raises:
    ValueError: the part is none.
  """
  index, _, count = part.partition('/')
  if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
    raise ValueError(
      f'shard is {part!r}: it must be i/n with 0 <= i < n, as 0/4.'
    )
  return list(runs[int(index) :: int(count)])


@contextlib.contextmanager
def claim(directory: run_dir.RunDirectory) -> Iterator[None]:
  """Keeps other workers from a run while entered, before it has a directory.

  Raises:
    InUseError: another worker has it.
    OSError: the claim, a file beside the directory, cannot be written.
  """
  path = directory.path.with_name(f'{directory.path.name}.worker')
  path.parent.mkdir(parents=True, exist_ok=True)
  held = lock.acquire(path, directory.path)
  try:
    yield
  finally:
    lock.release(held)
