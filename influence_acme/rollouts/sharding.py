"""Divides the environments of a rollout among the devices of a mesh.

Each device unrolls its own environments. Their keys are those of all of them in
order, so that they play what they would play on one device.

Letters: B environments, N agents, T steps.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import sharding

from influence_acme.rollouts import records, unroll


def shard_map(
  function: Callable[..., Any],
  mesh: sharding.Mesh,
  in_specs: Any,
  out_specs: Any,
) -> Callable[..., Any]:
  """Maps a function over the shards of arrays, as `jax.shard_map` does.

  Args:
    function: of the shards of one device.
    mesh: of the devices.
    in_specs: partitions of its arguments.
    out_specs: partitions of its outputs; it must compute on every device the
      same of those that are not divided.
  """
  jax_map: Any = getattr(jax, 'shard_map', None)  # Later versions have it.
  # The check needs loops whose first carry is marked as divided.
  return jax_map(
    function,
    mesh=mesh,
    in_specs=in_specs,
    out_specs=out_specs,
    check_vma=False,
  )


def shard(rollout: unroll.Rollout, mesh: sharding.Mesh) -> unroll.Rollout:
  """Divides the environments of a rollout.

  Args:
    rollout: in compiled environments.
    mesh: of one axis, whose size divides B.

  Returns:
    Functions that take and return global arrays, of all B environments.
    Parameters are on every device, and so are episodes.
  """
  (axis,) = mesh.axis_names
  whole = sharding.PartitionSpec()

  on_every_device = functools.partial(
    jax.lax.with_sharding_constraint,
    shardings=sharding.NamedSharding(mesh, whole),
  )

  def divide(function, in_specs, out_specs, *args):
    def local(*shards):
      state, episodes, more = function(*shards)
      return state, _of_first(episodes, axis), more

    state, episodes, more = shard_map(local, mesh, in_specs, out_specs)(*args)
    return state, on_every_device(episodes), more

  @jax.jit
  def start(actor_params, environment_keys, keys):
    def outputs(size):
      return rollout.start(actor_params, environment_keys[:size], keys[:size])

    by_environment = sharding.PartitionSpec(axis)
    state, episodes, is_finite = divide(
      rollout.start,
      (whole, by_environment, by_environment),
      partition(outputs, axis),
      *(actor_params, environment_keys, keys),
    )
    return state, episodes, on_every_device(is_finite)

  @functools.partial(jax.jit, donate_argnums=1)
  def advance(actor_params, state):
    def outputs(size):
      keys = jnp.zeros((size, *state.state.keys.shape[1:]), jnp.uint32)
      state_, _, _ = rollout.start(actor_params, keys, keys)
      return rollout.unroll(actor_params, state_)

    specs = partition(outputs, axis)
    return divide(rollout.unroll, (whole, specs[0]), specs, actor_params, state)

  return unroll.Rollout(start, advance)


def _of_first(episodes: records.Episodes, axis: str) -> records.Episodes:
  """Gives all devices the choices in the first environment of all."""
  is_first = jax.lax.axis_index(axis) == 0
  return episodes._replace(
    choices=jax.tree_util.tree_map(
      lambda x: jax.lax.psum(jnp.where(is_first, x, 0), axis),
      episodes.choices,
    )
  )


def partition(outputs: Callable[[int], Any], axis: str) -> Any:
  """Returns how the arrays of a function are divided by environments.

  Args:
    outputs: of how many environments; it is traced for one and for two, which
      tells the axes of environments from others.
    axis: of the mesh.

  Returns:
    A tree of `PartitionSpec`.
  """
  one, two = (jax.eval_shape(functools.partial(outputs, n)) for n in (1, 2))
  return jax.tree_util.tree_map(
    lambda x, y: sharding.PartitionSpec(
      *(None if m == n else axis for m, n in zip(x.shape, y.shape, strict=True))
    ),
    one,
    two,
  )
