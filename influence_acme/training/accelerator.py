"""Trains on accelerators: one compiled call unrolls and updates k times.

The same iteration as `loop`, without threads and without the host in between;
agents are vectorised, but for the devices of a CPU. Schedules are read on the
host before a call, at the environment steps that its iterations would begin at
without any padding.

Several devices, of one process or of many, make the same call together: arrays
are global, and lie on the devices as `mesh` says.

Letters: k iterations, N agents.
"""

from collections.abc import Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import sharding

from influence_acme.rollouts import records, unroll
from influence_acme.rollouts import sharding as sharding_lib
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import schedules, sequences, update
from influence_acme.training import loop, processes
from influence_acme.training import mesh as mesh_lib

# Iterations of a call of an accelerator: enough that the host does not count,
# few enough for a log every second.
ITERATIONS = 8


class Trainer(loop.Trainer):
  """The compiled function of k iterations."""

  def __init__(
    self,
    rollout: unroll.Rollout,
    networks: networks_lib.InfluenceNetworks,
    config: config_lib.InfluenceConfig,
    key: chex.PRNGKey,
    mesh: sharding.Mesh | None = None,
    num_iterations: int = ITERATIONS,
  ):
    """Makes the function; it is compiled when it is first called.

    Args:
      rollout: as for `loop.Trainer`, in compiled environments.
      networks: of the population.
      config: of the agents.
      key: of the first parameters and of the updates.
      mesh: of the devices; None for one.
      num_iterations: k.
    """
    self._mesh = mesh
    self._num_iterations = num_iterations
    self._advance: Any = None
    if mesh is not None:
      rollout = sharding_lib.shard(rollout, mesh)
    super().__init__(rollout, networks, config, key)

  def iterate(self, state: loop.State) -> tuple[loop.State, loop.Iteration]:
    """Unrolls and updates k times; metrics are means over the iterations."""
    if self._advance is None:
      self._advance = self._make_advance(state)
    return self.take(state, self._advance(*self.give(state)))

  def give(self, state: loop.State) -> tuple[Any, ...]:
    """Returns what `scan` takes."""
    config, k = self._config, self._num_iterations
    steps, updates = int(state.environment_steps), int(state.learner_steps)
    rows = config.batch_size * config.unroll_length
    starts = [steps + i * rows for i in range(k)]
    num_agents = len(self._networks.agent_ids)
    weights = [schedules.influence_weight(config, start) for start in starts]
    rates = [schedules.rates(config, start) for start in starts]
    schedule = (
      np.stack([np.broadcast_to(np.float32(w), num_agents) for w in weights]),
      np.arange(updates, updates + k, dtype=np.int32)
      + loop.acts_after_learning(config),
      update.Rates(*np.array(rates, np.float32).T),
      np.stack([jax.random.fold_in(self._key, updates + i) for i in range(k)]),
    )
    return state.training, state.rollout, state.batch, schedule

  def take(
    self, state: loop.State, outputs: tuple[Any, ...]
  ) -> tuple[loop.State, loop.Iteration]:
    """Returns the next state, and data for the logs.

    Args:
      state: that `give` was given.
      outputs: of `scan`.
    """
    training, rollout, batch, metrics, episodes = outputs
    k, updates = self._num_iterations, int(state.learner_steps)
    episodes = jax.device_get(episodes)
    parts = [
      jax.tree_util.tree_map(lambda x: x[i], episodes)  # noqa: B023
      for i in range(k)
    ]
    new = loop.State(
      training,
      rollout,
      batch,
      np.int64(int(state.environment_steps) + loop.count_steps(parts)),
      np.int64(updates + k),
    )
    # Where a batch lies in several processes, the logs need these of all.
    logged = {
      name: processes.to_host(getattr(batch, name))
      for name in ('extrinsic', 'influence', 'start_of_episode')
    }
    return new, loop.Iteration(
      jax.device_get(metrics), batch._replace(**logged), parts
    )

  def _make_functions(self) -> None:
    """Makes the update; the one function is made for the first state."""
    self._update = mesh_lib.make_update(
      self._networks.agent, self._config, self._mesh
    )

  def _make_advance(self, state: loop.State) -> Any:
    """Makes the one function; states stay where they are."""
    where = None
    if self._mesh is not None:
      everywhere = sharding.NamedSharding(self._mesh, mesh_lib.P())
      states = jax.tree_util.tree_map(
        lambda x: x.sharding, (state.training, state.rollout, state.batch)
      )
      where = *states, everywhere, everywhere
    return jax.jit(self.scan, donate_argnums=(0, 1, 2), out_shardings=where)

  def _place(self, training: update.TrainingState) -> update.TrainingState:
    if self._mesh is None:
      return training
    where = mesh_lib.training_sharding(self._mesh)
    return jax.tree_util.tree_map(lambda x: mesh_lib.put(x, where), training)

  def scan(
    self,
    training: update.TrainingState,
    rollout: records.RolloutState,
    batch: sequences.Sequences,
    schedule: tuple[chex.Array, chex.Array, update.Rates, chex.PRNGKey],
  ) -> tuple[Any, ...]:
    """Returns the states, mean metrics [N], and episodes [k, ...]."""
    is_first = loop.acts_after_learning(self._config)

    def body(carry, at):
      training, rollout, batch = carry
      weight, learner_steps, rates, key = at
      learned, metrics = self._update(training, batch, rates, key)
      acting = learned if is_first else training
      params = records.ActorParams(acting.params, weight, learner_steps)
      rollout, episodes, batch = self._rollout.unroll(params, rollout)
      return (learned, rollout, batch), (metrics, episodes)

    carry, (metrics, episodes) = jax.lax.scan(
      body, (training, rollout, batch), schedule
    )
    means = jax.tree_util.tree_map(lambda x: jnp.mean(x, axis=0), metrics)
    return *carry, means, episodes


class Together:
  """One compiled call for several seeds."""

  def __init__(
    self, trainers: Sequence[Trainer], mesh: sharding.Mesh | None = None
  ):
    """Makes the call; it is compiled when it is first called.

    Args:
      trainers: of the seeds, of the same functions.
      mesh: of the devices that share the seeds, with the axis 'seeds'; None
        for one.
    """
    self._trainers = trainers
    self._where = None
    advance = jax.vmap(trainers[0].scan)
    if mesh is not None:
      own = mesh_lib.P('seeds')
      advance = sharding_lib.shard_map(advance, mesh, (own,) * 4, own)
      self._where = sharding.NamedSharding(mesh, own)
    self._advance = jax.jit(advance, donate_argnums=(0, 1, 2))

  def iterate(
    self, states: Sequence[loop.State]
  ) -> list[tuple[loop.State, loop.Iteration]]:
    """Does for each seed what its trainer does for one.

    Args:
      states: of the seeds, in the trainers' order.
    """
    pairs = list(zip(self._trainers, states, strict=True))
    given = [trainer.give(state) for trainer, state in pairs]
    stacked = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *given)
    if self._where is not None:
      stacked = jax.device_put(stacked, self._where)
    outputs = self._advance(*stacked)
    return [
      trainer.take(
        state,
        jax.tree_util.tree_map(lambda x: x[i], outputs),  # noqa: B023
      )
      for i, (trainer, state) in enumerate(pairs)
    ]
