"""Memory that is freed is kept, and taken again without the kernel."""

import subprocess
import sys

import pytest

from influence_acme.runs import malloc

# Takes and gives back 100 MB, as a compiled call does, and counts page faults.
_SCRIPT = """
import resource, runpy, sys
import numpy as np

if len(sys.argv) > 1:
  runpy.run_path(sys.argv[1])['keep']()

def faults():
  return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

np.ones(100 * 2**20, np.uint8)
before = faults()
for _ in range(3):
  np.ones(100 * 2**20, np.uint8)
print(faults() - before)
"""


def _count_faults(*paths):
  # By its path: to import the whole package takes many times as long.
  done = subprocess.run(
    [sys.executable, '-c', _SCRIPT, *paths],
    capture_output=True,
    text=True,
    check=True,
  )
  return int(done.stdout.splitlines()[-1])


def test_it_saves_page_faults():
  # 3 * 100 MB in pages of 4 KB would be 76,800 faults; huge pages make fewer.
  kept = _count_faults(malloc.__file__)
  assert kept < 100
  assert kept < _count_faults() / 2


# The C library's own account of its arenas, malloc_info(3).
_ARENAS = """
import ctypes
from influence_acme import programs
import jax.numpy as jnp

(jnp.ones(3) + 1).block_until_ready()
c = ctypes.CDLL(None)
c.malloc_info(0, ctypes.c_void_p.in_dll(c, 'stdout'))
c.fflush(None)
"""


@pytest.mark.slow
def test_programs_take_memory_from_one_arena():
  done = subprocess.run(
    [sys.executable, '-c', _ARENAS],
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stdout.count('<heap nr=') == 1, done.stdout
