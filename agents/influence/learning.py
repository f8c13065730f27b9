"""Trains the population as an Acme learner around `system.update`.

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
import reverb
from acme import core
from acme.utils import counting, loggers

from influence_acme.multiagent import variables
from influence_acme.system import config as config_lib
from influence_acme.system import map_agents, schedules, summary, update
from influence_acme.system import networks as system_networks
from influence_acme.system import sequences as sequences_lib


class Published(NamedTuple):
  """Holds the variables for actors, replaced as a whole to stay consistent.

  Attributes:
    state: of the training.
    counts: its 'learner_steps' and 'environment_steps'.
  """

  state: update.TrainingState
  counts: dict[str, Any]


class InfluenceLearner(core.Learner):
  """Trains the whole population on its sequences; an Acme learner.

  Its variables are 'params', stacked [N, ...], and 'counts', their learner
  steps and environment steps.
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
      counter: shared; its steps drive the schedules, see
        `schedules.environment_steps`. Without one they stay at their start,
        which actors do not accept where there is a schedule.
      logger: of the learner's metrics.
    """
    self._config = config
    self._agent_ids = networks.agent_ids
    self._iterator = iterator
    self._is_counted = counter is not None or schedules.are_constant(config)
    self._counter = counter or counting.Counter()
    self._logger = logger or loggers.make_default_logger('learner')
    self._to_sequences = jax.jit(sequences_lib.to_sequences)
    self._update = map_agents.over_threads(
      update.make_update(networks.agent, config)
    )
    self._key = key
    self._publish(update.init(networks.init(key), config), learner_steps=0)
    self._timestamp = time.time()

  def step(self) -> None:
    """Updates the population on one batch.

    Raises:
      FloatingPointError: a loss or a gradient is not finite; the state is as
        before.
      ValueError: the counter does not count environment steps.
    """
    environment_steps = self._environment_steps()
    data = next(self._iterator).data
    # Recurrent states of the other rows are never read: do not copy them.
    first_states = jax.tree_util.tree_map(
      lambda x: x[:, 0], data.extras['core_state']
    )
    data = data._replace(extras=dict(data.extras, core_state=first_states))
    sequences = self._to_sequences(data)
    state, metrics = self._update(
      self._now.state,
      sequences,
      schedules.rates(self._config, environment_steps),
      jax.random.fold_in(self._key, self._learner_steps),
    )
    metrics = jax.device_get(metrics)
    summary.check_finite(metrics, self._agent_ids, self._learner_steps)
    row = summary.summarise(
      metrics, sequences, self._agent_ids, self._config, environment_steps
    )
    row['policy_lag'] = self._policy_lag(data)

    counts = self._counter.increment(
      steps=1, walltime=time.time() - self._timestamp
    )
    self._timestamp = time.time()
    self._publish(state, self._learner_steps + 1)
    self._logger.write(row | counts)

  def get_variables(self, names: Sequence[str]) -> list[Any]:
    """Returns variables; 'params' are stacked NumPy arrays.

    Args:
      names: of 'params' and 'counts'.

    Raises:
      ValueError: a name is unknown, or an actor asks for counts that nobody
        counts.
    """
    if 'counts' in names and not self._is_counted:
      schedules.environment_steps(None)
    now = self._now
    available = {'params': now.state.params, 'counts': now.counts}
    variables.check_names(names, available)
    return jax.device_get([available[name] for name in names])

  def save(self) -> dict[str, Any]:
    """Returns the state of training, as NumPy arrays."""
    return jax.device_get(self._now._asdict())

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a state returned by `save`."""
    self._is_counted = True  # By the run that saved it.
    self._now = Published(
      jax.tree_util.tree_map(jnp.asarray, state['state']),
      dict(state['counts']),
    )

  def _environment_steps(self) -> int:
    return schedules.environment_steps(self._counter.get_counts())

  @property
  def _learner_steps(self) -> int:
    return int(self._now.counts['learner_steps'])

  def _publish(self, state: update.TrainingState, learner_steps: int) -> None:
    counts: dict[str, Any] = {
      'learner_steps': np.int32(learner_steps),
      'environment_steps': np.int64(self._environment_steps()),
    }
    self._now = Published(state, counts)

  def _policy_lag(self, data: Any) -> float:
    """Returns the mean age of the behaviour policy, in learner steps."""
    # Padding after an episode's last step counts nothing.
    is_step = ~data.start_of_episode[:, 1:]
    lag = self._learner_steps - data.extras['learner_steps'][:, :-1][is_step]
    return float(lag.mean())
