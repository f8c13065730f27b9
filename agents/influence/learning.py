"""The learner of the population: an Acme learner around `system.update`.

Letters: T steps (T + 1 rows), B sequences, N agents.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import reverb
from acme import core
from acme.utils import counting, loggers

from influence_acme.multiagent import variables
from influence_acme.system import config as config_lib
from influence_acme.system import losses, map_agents, update
from influence_acme.system import networks as system_networks
from influence_acme.system import sequences as sequences_lib


class Published(NamedTuple):
  """What actors fetch, replaced as a whole so that its parts belong together.

  Attributes:
    state: of the training.
    counts: 'learner_steps' and 'environment_steps' at which it was reached.
  """

  state: update.TrainingState
  counts: dict[str, Any]


class InfluenceLearner(core.Learner):
  """Learns from sequences of the whole population; an Acme learner.

  Its variables are 'params', stacked [N, ...], and 'counts', the learner
  steps and environment steps at which they were learned.
  """

  def __init__(
    self,
    networks: system_networks.InfluenceNetworks,
    config: config_lib.InfluenceConfig,
    iterator: Iterator[reverb.ReplaySample],
    key: chex.PRNGKey,
    counter: counting.Counter | None = None,
    logger: loggers.Logger | None = None,
  ):
    """Makes the learner.

    Args:
      networks: of the population.
      config: of the agent.
      iterator: over batches [B, T + 1, ...] of the replay.
      key: for the first parameters, and the updates' shuffles.
      counter: shared; its 'environment_steps' drive the schedules.
      logger: of the learner's metrics.
    """
    self._config = config
    self._agent_ids = networks.agent_ids
    self._iterator = iterator
    self._counter = counter or counting.Counter()
    self._logger = logger or loggers.make_default_logger('learner')
    self._learning_rate = optax.linear_schedule(
      config.learning_rate, config.learning_rate_end, config.learning_rate_steps
    )
    start = config.entropy_cost_start
    self._entropy_cost = optax.linear_schedule(
      config.entropy_cost if start is None else start,
      config.entropy_cost,
      config.entropy_cost_steps,
    )
    self._to_sequences = jax.jit(sequences_lib.to_sequences)
    self._update = map_agents.over_threads(
      update.make_update(networks.agent, config)
    )
    self._key = key
    self._publish(update.init(networks.init(key), config), learner_steps=0)
    self._timestamp = time.time()

  def step(self) -> None:
    """Learns from one batch.

    Raises:
      FloatingPointError: a loss or a gradient is not finite; the state is as
        before.
    """
    data = next(self._iterator).data
    # The other rows' recurrent states are never read: do not copy them.
    first_states = jax.tree_util.tree_map(
      lambda x: x[:, 0], data.extras['core_state']
    )
    data = data._replace(extras=dict(data.extras, core_state=first_states))
    environment_steps = self._environment_steps()
    rates = {
      'learning_rate': self._learning_rate(environment_steps),
      'entropy_cost': self._entropy_cost(environment_steps),
    }
    state, metrics = self._update(
      self._now.state,
      self._to_sequences(data),
      update.Rates(**rates),
      jax.random.fold_in(self._key, self._learner_steps),
    )
    metrics = jax.device_get(metrics)
    self._check_finite(metrics)
    summary = self._summarise(metrics, data)

    counts = self._counter.increment(
      steps=1, walltime=time.time() - self._timestamp
    )
    self._timestamp = time.time()
    self._publish(state, self._learner_steps + 1)
    rates = {name: float(value) for name, value in rates.items()}
    self._logger.write(summary | rates | counts)

  def get_variables(self, names: Sequence[str]) -> list[Any]:
    """Returns what is asked for; 'params' are stacked NumPy arrays.

    Args:
      names: of 'params' and 'counts'.

    Raises:
      ValueError: a name is unknown.
    """
    now = self._now
    available = {'params': now.state.params, 'counts': now.counts}
    variables.check_names(names, available)
    return jax.device_get([available[name] for name in names])

  def save(self) -> dict[str, Any]:
    """Returns all that a resumed learner needs, as NumPy arrays."""
    return jax.device_get(self._now._asdict())

  def restore(self, state: dict[str, Any]) -> None:
    """Goes on from what `save` returned."""
    self._now = Published(
      jax.tree_util.tree_map(jnp.asarray, state['state']),
      dict(state['counts']),
    )

  def _environment_steps(self) -> int:
    return int(self._counter.get_counts().get('environment_steps', 0))

  @property
  def _learner_steps(self) -> int:
    return int(self._now.counts['learner_steps'])

  def _publish(self, state: update.TrainingState, learner_steps: int) -> None:
    counts: dict[str, Any] = {
      'learner_steps': np.int32(learner_steps),
      'environment_steps': np.int64(self._environment_steps()),
    }
    self._now = Published(state, counts)

  def _check_finite(self, metrics: losses.Metrics) -> None:
    """Raises FloatingPointError: an agent's loss or gradient is not finite."""
    is_finite = np.isfinite(metrics['loss'] + metrics['gradient_norm'])
    bad = [
      agent_id
      for agent_id, good in zip(self._agent_ids, is_finite, strict=True)
      if not good
    ]
    if bad:
      raise FloatingPointError(
        f'Loss or gradient of {", ".join(bad)} is not finite at learner step '
        f'{self._learner_steps}. The last checkpoint is still good: '
        'resume from it with a lower learning_rate, max_gradient_norm or '
        'reward_scale.'
      )

  def _summarise(self, metrics: losses.Metrics, data: Any) -> dict[str, Any]:
    """Returns means over agents, and each agent's rewards, of one batch.

    Metrics are means over the agents that have them: the others' are NaN.
    """
    # What is no step has zeros, and counts nothing.
    is_step = ~data.start_of_episode[:, 1:]
    lag = self._learner_steps - data.extras['learner_steps'][:, :-1][is_step]
    means: dict[str, Any] = {
      name: float(np.nanmean(value)) for name, value in metrics.items()
    }
    for name in ('extrinsic', 'influence'):
      by_agent = data.extras[name][:, :-1][is_step].mean(axis=0)
      means[name] = dict(zip(self._agent_ids, by_agent, strict=True))
    weight: Any = config_lib.influence_weight(
      self._config, self._environment_steps()
    )
    if isinstance(weight, np.ndarray):
      weight = dict(zip(self._agent_ids, weight, strict=True))
    return {
      **means,
      'influence_weight': weight,
      'policy_lag': float(lag.mean()),
    }
