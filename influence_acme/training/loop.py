"""Trains all agents: unroll, update, and again. The whole idea in one file.

    state k:  parameters p_k, environments, a batch b_k

    V-trace   update(p_k, b_k) -> p_{k+1}
              unroll(p_k, environments) -> environments, b_{k+1}

    PPO       update(p_k, b_k) -> p_{k+1}
              unroll(p_{k+1}, environments) -> environments, b_{k+1}

With V-trace both read state k and nothing else. So on a CPU they run side by
side, in a thread each, and the parameters that act are one update old, which
the importance ratios account for. PPO clips these ratios, and learns from what
its own parameters did. An accelerator does all of it in one compiled call (see
`accelerator`). The state is one pytree: saved and restored, a run goes on bit
for bit.

Letters: N agents, B environments, T steps.
"""

import copy
from collections.abc import Sequence
from concurrent import futures
from typing import NamedTuple

import chex
import jax
import numpy as np

from influence_acme.rollouts import finite, records, unroll
from influence_acme.system import config as config_lib
from influence_acme.system import (
  map_agents,
  schedules,
  sequences,
  update,
)
from influence_acme.system import networks as networks_lib


class State(NamedTuple):
  """Everything that training goes on from.

  Attributes:
    training: parameters, optimiser and normalisation, [N, ...].
    rollout: environments and recurrent states.
    batch: sequences [N, T + 1, B, ...] for the next update.
    environment_steps: int64 [], global.
    learner_steps: int64 [], updates so far.
  """

  training: update.TrainingState
  rollout: records.RolloutState
  batch: sequences.Sequences
  environment_steps: np.int64
  learner_steps: np.int64


class Iteration(NamedTuple):
  """Data of one iteration for the logs.

  Attributes:
    metrics: float32 [N] each, of the update.
    batch: that was learned from.
    episodes: of the unroll, a part each; two in the first iteration.
  """

  metrics: dict[str, chex.Array]
  batch: sequences.Sequences
  episodes: list[records.Episodes]


class Trainer:
  """The compiled functions of a run; it holds no state of the run."""

  def __init__(
    self,
    rollout: unroll.Rollout,
    networks: networks_lib.InfluenceNetworks,
    config: config_lib.InfluenceConfig,
    key: chex.PRNGKey,
  ):
    """Makes the functions; they are compiled when they are first called.

    Args:
      rollout: of the population, in B environments; arranged for the learner.
      networks: of the population.
      config: of the agents; B is its batch size, T its unroll length.
      key: of the first parameters and of the updates.
    """
    self._config = config
    self._networks = networks
    self._key = key
    self._rollout = rollout
    self._learner = futures.ThreadPoolExecutor(1, 'update')
    self._make_functions()

  def with_key(self, key: chex.PRNGKey) -> 'Trainer':
    """Returns a trainer of another key, which shares the functions."""
    other = copy.copy(self)
    other._key = key
    return other

  def init(
    self,
    environment_keys: Sequence[chex.PRNGKey],
    agent_keys: Sequence[chex.PRNGKey],
    training: update.TrainingState | None = None,
    environment_steps: int = 0,
    learner_steps: int = 0,
  ) -> tuple[State, list[records.Episodes]]:
    """Starts all environments, and unrolls the first batch.

    Args:
      environment_keys: uint32 [2] of each environment.
      agent_keys: uint32 [2], of the agents' actions in each environment.
      training: to go on from; new parameters if None.
      environment_steps: before this.
      learner_steps: before this.

    Returns:
      The first state, and the parts of episodes that were played.
    """
    if training is None:
      training = update.init(self._networks.init(self._key), self._config)
    training = self._place(training)
    actor_params = self._actor_params(
      training, environment_steps, learner_steps
    )
    rollout, first, is_finite = self._rollout.start(
      actor_params, np.stack(environment_keys), np.stack(agent_keys)
    )
    finite.check(is_finite, 0, self._networks.agent_ids)
    rollout, second, batch = self._unroll(actor_params, rollout)
    episodes = [first, second]
    return State(
      training,
      rollout,
      batch,
      np.int64(environment_steps + count_steps(episodes)),
      np.int64(learner_steps),
    ), episodes

  def iterate(self, state: State) -> tuple[State, Iteration]:
    """Learns from a batch, and unrolls the next one."""
    steps, updates = int(state.environment_steps), int(state.learner_steps)
    learned = self._learner.submit(
      self._update,
      state.training,
      state.batch,
      schedules.rates(self._config, steps),
      jax.random.fold_in(self._key, updates),
    )
    acting = state.training, steps, updates
    if acts_after_learning(self._config):
      acting = learned.result()[0], steps, updates + 1
    rollout, episodes, batch = self._unroll(
      self._actor_params(*acting), state.rollout
    )
    training, metrics = learned.result()
    new = State(
      training,
      rollout,
      batch,
      np.int64(steps + count_steps([episodes])),
      np.int64(updates + 1),
    )
    return new, Iteration(jax.device_get(metrics), state.batch, [episodes])

  def close(self) -> None:
    """Ends the thread that updates."""
    self._learner.shutdown()

  def _make_functions(self) -> None:
    """Makes the update of all agents; compiled when it is first called."""
    self._update = map_agents.over_threads(
      update.make_update(self._networks.agent, self._config)
    )

  def _place(self, training: update.TrainingState) -> update.TrainingState:
    """Puts the first state where it is computed with."""
    return training

  def _unroll(
    self, actor_params: records.ActorParams, rollout: records.RolloutState
  ) -> tuple[records.RolloutState, records.Episodes, sequences.Sequences]:
    return jax.block_until_ready(self._rollout.unroll(actor_params, rollout))

  def _actor_params(
    self, training: update.TrainingState, steps: int, learner_steps: int
  ) -> records.ActorParams:
    """Returns what acting takes from the learner, at this time."""
    weight = np.float32(schedules.influence_weight(self._config, steps))
    num_agents = len(self._networks.agent_ids)
    return records.ActorParams(
      training.params,
      np.broadcast_to(weight, num_agents),
      np.int32(learner_steps),
    )


def acts_after_learning(config: config_lib.InfluenceConfig) -> bool:
  """Returns whether a batch is unrolled by the parameters just updated."""
  return config.update == 'ppo'


def count_steps(episodes: Sequence[records.Episodes]) -> int:
  """Returns how many environment steps were played; padding is none."""
  return sum(int(np.sum(part.is_step)) for part in episodes)
