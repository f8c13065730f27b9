"""Compiled functions that keep to the core of the thread that calls them.

By default XLA spreads every function over all cores of a CPU. For the many
small operations of an agent this costs more than it gains: a learner step of
the paper's network takes 1.4 times the processor time, and hardly less of the
clock's. A program that has a thread for each core, as ours have, is faster if
each of them computes alone.
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import jax

# XLA counts the cores that the compiling thread may run on, see `_on_one_core`.
_compiling = threading.Lock()


def jit(
  function: Callable[..., Any], *, is_large: bool = False, **options: Any
) -> Callable[..., Any]:
  """Compiles a function for one core of a CPU; elsewhere it is `jax.jit`.

  Args:
    function: pure; its arguments are trees of arrays and NumPy scalars.
    is_large: whether its products and sums are so large that XLA should leave
      them to YNNPACK, as later versions of JAX do. For small ones, of acting,
      its own are faster.
    **options: of `jax.jit`, such as `donate_argnums`.

  Returns:
    The function, compiled once for each layout of its arguments.
  """
  jitted = jax.jit(function, **options)
  if jax.default_backend() != 'cpu':
    return jitted
  compiled: dict[Any, Callable[..., Any]] = {}

  @functools.wraps(function)
  def call(*args: Any) -> Any:
    leaves, tree = jax.tree_util.tree_flatten(args)
    if any(isinstance(x, jax.core.Tracer) for x in leaves):
      return jitted(*args)  # A part of a larger function.
    layout = (tree, tuple((x.shape, x.dtype) for x in leaves))
    if layout not in compiled:
      with _compiling:
        if layout not in compiled:
          compiled[layout] = _on_one_core(
            lambda: _compile(jitted, args, is_large)
          )
    return compiled[layout](*args)

  # As that of `jax.jit`, for tests that nothing is compiled twice.
  call._cache_size = lambda: len(compiled)  # type: ignore[attr-defined]
  return call


def before_thunks() -> bool:
  """Returns whether XLA compiles a CPU's function as a whole, as it used to.

  Later it runs a function part by part, in kernels of its own and of libraries;
  other forms are fast there.
  """
  return jax.__version_info__ < (0, 5)


def num_cores() -> int:
  """Returns how many cores this process may use."""
  if hasattr(os, 'sched_getaffinity'):  # Not on macOS.
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def disable_intra_op_threads() -> None:
  """Makes a product of matrices stay in the thread that asks for it.

  oneDNN cuts large ones up for a pool of threads, one for each core, even in
  functions of `jit` above. Waking them, and waiting while others have the
  cores, is a tenth of a training run's processor time.

  A pool has but one thread, in this process and those that it starts, if this
  comes before JAX's first array, as XLA reads the environment then; later it
  does nothing. Functions of `jax.jit` keep to one core then, too.

  In later versions of JAX whole functions run in this pool, so that with one
  thread nothing would run side by side; there the pool stays as it is.
  """
  if before_thunks():
    os.environ.setdefault('NPROC', '1')


def _compile(
  jitted: Any, args: tuple[Any, ...], is_large: bool
) -> Callable[..., Any]:
  # Eigen's products of matrices; for oneDNN's see `disable_intra_op_threads`.
  options: dict[str, bool | str] = {'xla_cpu_multi_thread_eigen': False}
  if not is_large:
    options.update(_without_library())
  return jitted.lower(*args).compile(compiler_options=options)


@functools.cache
def _without_library() -> dict[str, bool | str]:
  """Returns options that leave nothing to YNNPACK; none if XLA has none."""
  options: dict[str, bool | str] = {'xla_cpu_experimental_ynn_fusion_type': ''}
  try:
    jax.jit(lambda: 0).lower().compile(compiler_options=options)
  except RuntimeError:  # 'No such compile option', as before JAX 0.10.
    return {}
  return options


def _on_one_core(compile_fn: Callable[[], Any]) -> Any:
  """Compiles as if there were but one core: loops are not cut up for more."""
  if not hasattr(os, 'sched_getaffinity'):
    return compile_fn()
  cores = os.sched_getaffinity(0)
  os.sched_setaffinity(0, {min(cores)})
  try:
    return compile_fn()
  finally:
    os.sched_setaffinity(0, cores)
