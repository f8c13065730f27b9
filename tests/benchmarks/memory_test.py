"""What a command's memory is watched by, on commands that hold known memory."""

import sys

import psutil
import pytest

from benchmarks import memory, processes

_HOLD = 'import time; held = bytearray({size}); time.sleep(0.6); exit({code})'


def test_the_peak_holds_what_the_command_holds_and_its_code_is_kept():
  code = _HOLD.format(size=200 * 2**20, code=3)
  result = memory.watch([sys.executable, '-c', code], interval=0.05)
  assert 200 * 2**20 < result['peak_bytes'] < 300 * 2**20
  assert result['exit_code'] == 3
  assert len(result['seconds']) == len(result['bytes']) >= 3


def test_growth_is_the_slope_of_the_second_half():
  # Up by 100 bytes in each of its first seconds, then by 2: 7200 an hour.
  sizes = [0.0, 100.0, 200.0, 300.0, 302.0, 304.0, 306.0, 308.0]
  assert memory.growth(range(8), sizes) == pytest.approx(7200.0)


def test_an_ended_process_has_no_memory():
  with psutil.Popen([sys.executable, '-c', '']) as process:
    process.wait()
    assert processes.family_bytes(process) == 0
