"""Programs in threads and processes that are killed, stopped or starved."""

import pathlib
import sys

import moments
import pytest

_PROGRAM = pathlib.Path(__file__).with_name('toy_program.py')


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
  'launch, end, rows',
  [
    *[('threads', *moment) for moment in moments.sample(('read-only', 2))],
    *[('processes', *moment) for moment in moments.sample(('full', 2))],
  ],
)
def test_it_ends_as_it_must_and_goes_on(tmp_path, launch, end, rows):
  command = [sys.executable, str(_PROGRAM), f'--launch={launch}']
  moments.check(tmp_path, end, rows, command)
