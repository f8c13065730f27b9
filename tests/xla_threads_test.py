"""Functions that are compiled for one core."""

import os
import subprocess
import sys
import threading
from typing import Any

import chex
import jax
import numpy as np
import pytest

from influence_acme import xla_threads


def _matmul(x, y):
  return {'product': x @ y + np.float32(1)}


@pytest.mark.parametrize('is_large', [True, False])
def test_it_computes_what_jit_does(is_large):
  x, y = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
  actual = xla_threads.jit(_matmul, is_large=is_large)(x, y)['product']
  np.testing.assert_allclose(
    actual, jax.jit(_matmul)(x, y)['product'], rtol=1e-5, atol=1e-6
  )


def test_options_that_xla_does_not_have_are_left_out(monkeypatch):
  def refuse(*args, **kwargs):
    raise RuntimeError("No such compile option: 'xla_cpu_experimental...'")

  xla_threads._without_library.cache_clear()
  monkeypatch.setattr(jax.stages.Lowered, 'compile', refuse)
  assert xla_threads._without_library() == {}
  xla_threads._without_library.cache_clear()


def test_each_layout_is_compiled_once_whoever_calls():
  chex.clear_trace_counter()
  compiled: Any = xla_threads.jit(chex.assert_max_traces(_matmul, n=2))
  x = np.ones((4, 4), np.float32)
  threads = [threading.Thread(target=compiled, args=(x, x)) for _ in range(8)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert compiled._cache_size() == 1
  compiled(x[:2], x)
  assert compiled._cache_size() == 2


def test_donated_arguments_are_gone():
  compiled = xla_threads.jit(lambda x: x + 1, donate_argnums=0)
  x = jax.numpy.ones(100)
  compiled(x)
  assert x.is_deleted()


def test_the_thread_may_use_all_cores_again():
  before = os.sched_getaffinity(0)
  xla_threads.jit(lambda x: x + 1)(np.ones(3))
  assert os.sched_getaffinity(0) == before

  def fail(x):
    raise RuntimeError('no such function')

  with pytest.raises(RuntimeError, match='no such function'):
    xla_threads.jit(fail)(np.ones(3))
  assert os.sched_getaffinity(0) == before


# Which share of the processor time of products is the calling thread's.
_SHARE = """
import runpy, sys, time
import jax
import jax.numpy as jnp

if len(sys.argv) > 1:
  runpy.run_path(sys.argv[1])['disable_intra_op_threads']()
x = jnp.ones((1024, 1024))
product = jax.jit(lambda x: x @ x)
product(x).block_until_ready()
before = time.thread_time(), time.process_time()
for _ in range(20):
  product(x).block_until_ready()
after = time.thread_time(), time.process_time()
print((after[0] - before[0]) / (after[1] - before[1]))
"""


def _share_of_caller(*paths):
  done = subprocess.run(
    [sys.executable, '-c', _SHARE, *paths],
    capture_output=True,
    text=True,
    check=True,
    env={k: v for k, v in os.environ.items() if k != 'NPROC'},
  )
  return float(done.stdout)


def test_products_stay_in_the_thread_that_asks_for_them():
  assert _share_of_caller(xla_threads.__file__) > 0.9
  if len(os.sched_getaffinity(0)) > 1:
    assert _share_of_caller() < 0.5


def test_systems_without_affinity_compile_and_count_cores(monkeypatch):
  monkeypatch.delattr(os, 'sched_getaffinity')
  assert xla_threads.num_cores() == os.cpu_count()
  assert xla_threads.jit(lambda x: x + 1)(np.int32(1)) == 2
