"""Divides training among devices: environments, and batches or agents.

Every device plays its share of the environments. Then, by the axis of the mesh,

    environments   each runs the networks on its share of a batch; losses are
                   means over all of it, and gradients are summed
    agents         each updates its own agents, from the whole batch

and XLA inserts what the devices tell each other. Of several seeds each device
trains its own, and has nothing to tell:

    seeds          see `accelerator.Together`
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import flatten_util, sharding

from influence_acme import networks as networks_lib
from influence_acme.rollouts import sharding as sharding_lib
from influence_acme.system import config as config_lib
from influence_acme.system import map_agents, update

P = sharding.PartitionSpec


def make(
  description: str,
  agent: config_lib.InfluenceConfig,
  num_agents: int,
  is_compiled: bool,
  num_seeds: int = 1,
) -> sharding.Mesh | None:
  """Makes the mesh of a run, or of the runs of several seeds.

  Args:
    description: of `TrainConfig.mesh`.
    agent: configuration of the agents.
    num_agents: N.
    is_compiled: whether the environments are JAX functions.
    num_seeds: how many runs there are.

  Returns:
    The mesh, of one axis; None for one device, which needs none.

  Raises:
    ValueError: there are not as many devices, or they cannot share the work.
  """
  devices = jax.devices()
  axis, _, number = description.partition(':')
  if axis == 'auto':
    axis = 'environments' if num_seeds == 1 else 'seeds'
  shares = _shares(axis, agent, num_agents, num_seeds)
  if number:
    size = int(number)
  else:
    can_share = is_compiled and hasattr(jax, 'shard_map')
    size = _most(len(devices) if can_share else 1, shares)

  def refuse(reason: str) -> ValueError:
    return ValueError(f'mesh is {description!r}, {size} devices: {reason}')

  if size > len(devices):
    raise refuse(f'there are {len(devices)}; ask for no more.')
  if jax.process_count() > 1 and size < len(devices):
    raise refuse(
      f'it must have all {len(devices)} devices of the '
      f'{jax.process_count()} processes, and environments that are compiled.'
    )
  if size == 1:
    return None
  if not is_compiled:
    raise refuse('only compiled environments can be divided; leave it out.')
  if not hasattr(jax, 'shard_map'):
    raise refuse(
      f'JAX {jax.__version__} cannot; use a later one, or one device.'
    )
  if num_seeds > 1 and axis != 'seeds':
    raise refuse(f'of {num_seeds} seeds it must be auto or seeds:N.')
  for name, value in shares.items():
    if value % size:
      raise refuse(
        f'{name}, {value}, must be a multiple of that. Change it, or ask for '
        f'fewer, as in --mesh={axis}:{np.gcd(value, size)}.'
      )
  return sharding.Mesh(np.array(devices[:size]), (axis,))


def _most(limit: int, shares: dict[str, int]) -> int:
  """Returns the largest number up to a limit that divides all shares."""
  shared = math.gcd(*shares.values())
  return max(x for x in range(1, limit + 1) if shared % x == 0)


def _shares(
  axis: str,
  agent: config_lib.InfluenceConfig,
  num_agents: int,
  num_seeds: int,
) -> dict[str, int]:
  """Returns the numbers that are divided among the devices."""
  if axis == 'seeds':
    return {'the number of seeds': num_seeds}
  shares = {'batch_size': agent.batch_size}
  if axis == 'agents':
    shares['the number of agents'] = num_agents
  elif agent.update == 'ppo':
    size = agent.batch_size // agent.ppo.num_minibatches
    shares['batch_size / num_minibatches'] = size
  return shares


def make_update(
  agent: networks_lib.AgentNetworks,
  config: config_lib.InfluenceConfig,
  mesh: sharding.Mesh | None,
) -> Callable[..., Any]:
  """Makes the update of all agents, see `map_agents.in_one_call`.

  Args:
    agent: one agent's functions.
    config: of the agents.
    mesh: to divide it among; None for one device.
  """
  if mesh is None:
    return map_agents.in_one_call(update.make_update(agent, config))
  (axis,) = mesh.axis_names
  if axis == 'agents':
    own = P(axis)
    return map_agents.in_one_call(
      update.make_update(agent, config),
      lambda mapped: sharding_lib.shard_map(
        mapped, mesh, (own, own, own, P(), own), own
      ),
    )
  # The networks see the sequences of their device; losses are means over all.
  by_row = P(None, axis)

  def unroll(params, *inputs):
    flat, unflatten = flatten_util.ravel_pytree(params)  # One sum of gradients.
    return sharding_lib.shard_map(
      lambda flat, *inputs: agent.unroll(unflatten(flat), *inputs),
      mesh,
      (P(), by_row, by_row, by_row, P(axis)),
      by_row,
    )(flat, *inputs)

  return map_agents.in_one_call(
    update.make_update(agent._replace(unroll=unroll), config)
  )


def training_sharding(mesh: sharding.Mesh) -> sharding.NamedSharding:
  """Returns where the state of training lies, [N, ...].

  Args:
    mesh: of agents: each has its own; else every device has all.
  """
  spec = P('agents') if 'agents' in mesh.axis_names else P()
  return sharding.NamedSharding(mesh, spec)


def put(x: Any, where: sharding.Sharding) -> jax.Array:
  """Puts an array, which is the same in all processes, on its devices."""
  x = np.asarray(x)
  return jax.make_array_from_callback(x.shape, where, lambda index: x[index])
