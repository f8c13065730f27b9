"""What the machine can do at best: products of large float32 matrices."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import settings, timing


def measure(
  workload: settings.Workload,
  plan: settings.Plan,
  ready: Callable[[], None],
) -> dict[str, Any]:
  """Returns `timing.Rates` of floating-point operations."""
  del workload
  size = plan.gemm_size
  multiply = jax.jit(jnp.matmul)
  x, y = jax.random.normal(jax.random.PRNGKey(0), (2, size, size))

  def work() -> float:
    multiply(x, y).block_until_ready()
    return 2.0 * size**3

  work()
  ready()
  return {**timing.measure(work, plan.repeats, plan.seconds)}
