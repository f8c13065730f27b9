"""Functions that are compiled for one core."""

import os
import threading
from typing import Any

import chex
import jax
import numpy as np
import pytest

from influence_acme import one_core


def _matmul(x, y):
  return {'product': x @ y + np.float32(1)}


def test_it_computes_what_jit_does():
  x, y = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
  actual = one_core.jit(_matmul)(x, y)['product']
  np.testing.assert_allclose(
    actual, jax.jit(_matmul)(x, y)['product'], rtol=1e-5, atol=1e-6
  )


def test_each_layout_is_compiled_once_whoever_calls():
  chex.clear_trace_counter()
  compiled: Any = one_core.jit(chex.assert_max_traces(_matmul, n=2))
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
  compiled = one_core.jit(lambda x: x + 1, donate_argnums=0)
  x = jax.numpy.ones(100)
  compiled(x)
  assert x.is_deleted()


def test_the_thread_may_use_all_cores_again():
  before = os.sched_getaffinity(0)
  one_core.jit(lambda x: x + 1)(np.ones(3))
  assert os.sched_getaffinity(0) == before

  def fail(x):
    raise RuntimeError('no such function')

  with pytest.raises(RuntimeError, match='no such function'):
    one_core.jit(fail)(np.ones(3))
  assert os.sched_getaffinity(0) == before
