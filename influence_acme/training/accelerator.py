"""Trains on an accelerator: one compiled call unrolls and updates k times.

The same iteration as `loop`, without threads and without the host in between;
agents are vectorised. Schedules are read on the host before a call, at the
environment steps that its iterations would begin at without any padding.

Letters: k iterations, N agents.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.rollouts import records
from influence_acme.system import map_agents, schedules, sequences, update
from influence_acme.training import loop

# Enough that the host does not count, few enough for a log every second.
_ITERATIONS = 8


class Trainer(loop.Trainer):
  """The compiled function of k iterations."""

  def iterate(self, state: loop.State) -> tuple[loop.State, loop.Iteration]:
    """Unrolls and updates k times; metrics are means over the iterations."""
    config, k = self._config, _ITERATIONS
    steps, updates = int(state.environment_steps), int(state.learner_steps)
    rows = config.batch_size * config.unroll_length
    starts = [steps + i * rows for i in range(k)]
    num_agents = len(self._networks.agent_ids)
    weights = [schedules.influence_weight(config, start) for start in starts]
    rates = [schedules.rates(config, start) for start in starts]
    training, rollout, batch, metrics, episodes = self._advance(
      state.training,
      state.rollout,
      state.batch,
      (
        np.stack([np.broadcast_to(np.float32(w), num_agents) for w in weights]),
        np.arange(updates, updates + k, dtype=np.int32),
        update.Rates(*np.array(rates, np.float32).T),
        jnp.stack(
          [jax.random.fold_in(self._key, updates + i) for i in range(k)]
        ),
      ),
    )
    episodes = jax.device_get(episodes)
    parts = [
      jax.tree_util.tree_map(lambda x: x[i], episodes)  # noqa: B023
      for i in range(k)
    ]
    new = loop.State(
      training,
      rollout,
      batch,
      np.int64(steps + loop.count_steps(parts)),
      np.int64(updates + k),
    )
    return new, loop.Iteration(jax.device_get(metrics), batch, parts)

  def _make_functions(self) -> None:
    """Makes the one function; compiled when it is first called."""
    self._advance = jax.jit(self._scan, donate_argnums=(0, 1, 2))

  def _scan(
    self,
    training: update.TrainingState,
    rollout: records.RolloutState,
    batch: sequences.Sequences,
    schedule: tuple[chex.Array, chex.Array, update.Rates, chex.PRNGKey],
  ) -> tuple[Any, ...]:
    """Returns the states, mean metrics [N], and episodes [k, ...]."""
    update_all = map_agents.over_vmap(
      update.make_update(self._networks.agent, self._config)
    )

    def body(carry, at):
      training, rollout, batch = carry
      weight, learner_steps, rates, key = at
      params = records.ActorParams(training.params, weight, learner_steps)
      rollout, episodes, new_batch = self._rollout.unroll(params, rollout)
      training, metrics = update_all(training, batch, rates, key)
      return (training, rollout, new_batch), (metrics, episodes)

    carry, (metrics, episodes) = jax.lax.scan(
      body, (training, rollout, batch), schedule
    )
    means = jax.tree_util.tree_map(lambda x: jnp.mean(x, axis=0), metrics)
    return *carry, means, episodes
