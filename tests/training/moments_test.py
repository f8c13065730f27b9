"""Runs of the fused trainer that are killed, stopped or starved."""

import sys

import moments
import pytest


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
  'end, rows', moments.sample(('KILL', 2), ('full', 2), ('INT', -1))
)
def test_it_ends_as_it_must_and_goes_on(tmp_path, end, rows):
  command = [
    *(sys.executable, '-m', 'influence_acme.train'),
    *('--game=coordination', '--variant=moa', '--hidden_size=8'),
    *('--unroll_length=16', '--batch_size=8', '--max_queue_size=8'),
    '--checkpoint_seconds=5',
  ]
  moments.check(tmp_path, end, rows, command)
