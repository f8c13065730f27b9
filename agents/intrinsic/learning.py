"""Adds influence to an Acme learner's rewards, and trains the MOA for it.

                       +--------------------------------------+
    replay -> samples -| MOA: compute influence, then update  |-> samples with
                       +--------------------------------------+   rewards
                                                                  e + w * c
The inner learner gets these samples in place of the replay's.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import reverb
from acme import core
from acme.utils import counting, loggers

from influence_acme.adders import parts
from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import training
from influence_acme.system import schedules


class InfluencedSamples(Iterator[reverb.ReplaySample]):
  """Adds influence to the rewards of samples; threads may share it.

  Many learners of Acme take samples ahead of time, in a thread of their own:
  the model of others is then some samples ahead of the learner.

  Attributes:
    lock: held to read or write `state`.
    state: of the model of others.
  """

  def __init__(
    self,
    samples: Iterator[reverb.ReplaySample],
    moa: training.CompiledMOA,
    key: chex.PRNGKey,
    weight_fn: Callable[[], float],
    policy_logits_fn: Callable[[reverb.ReplaySample], Any] | None,
  ):
    """Makes the iterator, and an untrained model.

    Args:
      samples: of the replay.
      moa: the model of others.
      key: for the model's first parameters.
      weight_fn: returns the current weight of the influence.
      policy_logits_fn: returns the logits of the agent's own policy, for extras
        without them; may be None.
    """
    self._samples = samples
    self._weight_fn = weight_fn
    self._policy_logits_fn = policy_logits_fn
    self._update = moa.update
    self.state = moa.init(key)
    # Two locks, so that a reader of the state does not wait for the replay.
    self._taking = threading.Lock()
    # Of the thread that steps, too: a signal may save in the middle of a step,
    # and then takes what was there before it.
    self.lock = threading.RLock()
    self._metrics: dict[str, float] = {}

  def __next__(self) -> reverb.ReplaySample:
    """Returns the next sample, with influence in its rewards.

    Raises:
      StopIteration: there are no more samples.
      ValueError: the sample does not fit the configuration.
      FloatingPointError: influence or loss is not finite; the model is as
        before.
    """
    with self._taking:
      sample = next(self._samples)
      return self._add_influence(sample)

  @property
  def metrics(self) -> dict[str, float]:
    """Metrics of the last sample."""
    return self._metrics

  def _add_influence(self, sample: reverb.ReplaySample) -> reverb.ReplaySample:
    data = sample.data
    parts.check_floating(data.reward)
    logits = training.own_logits(data, self._policy_logits_fn, sample)
    weight = self._weight_fn()
    with self.lock:
      state, output = self._update(self.state, data, logits)
      output = jax.device_get(output)
      _check(output)
      self.state = state
    metrics = {name: float(x) for name, x in output.metrics.items()}
    self._metrics = dict(metrics, influence_weight=weight)
    if not weight:
      return sample  # Bit for bit the replay's.
    reward = parts.weighted_sum(data.reward, output.influence, weight)
    return sample._replace(data=data._replace(reward=reward))


def _check(output: training.UpdateOutput) -> None:
  """Checks the output; raises as `InfluencedSamples.__next__` does."""
  if not output.is_consistent:
    raise ValueError(
      "own_index or n_step is wrong: the agent's own actions differ from those "
      'of agent own_index in its next observations. The config of the inner '
      'builder needs n_step=1, if it has that field.'
    )
  finite = [np.isfinite(x).all() for x in jax.tree_util.tree_leaves(output)]
  if not all(finite):
    raise FloatingPointError(
      'Influence, or the loss of the model of others, is not finite: lower '
      'learning_rate or max_gradient_norm of the MOAConfig, or look for NaN '
      'and infinity in rewards and logits.'
    )


def make_weight_fn(
  config: config_lib.MOAConfig, counter: counting.Counter | None
) -> Callable[[], float]:
  """Returns a function that computes the current weight of influence.

  Args:
    config: with the curriculum.
    counter: counts environment steps, see `MOAConfig`. With None the function
      raises ValueError, if there is a curriculum.
  """

  def weight() -> float:
    if not config.influence_curriculum_steps:
      return float(config.influence_weight)
    steps = schedules.environment_steps(counter and counter.get_counts())
    return config_lib.influence_weight(config, steps)

  return weight


class InfluenceLearner(core.Learner):
  """Joins an Acme learner and the model of others for its rewards."""

  def __init__(
    self,
    learner: core.Learner,
    samples: InfluencedSamples,
    counter: counting.Counter,
    logger: loggers.Logger,
  ):
    """Makes the learner.

    Args:
      learner: the inner one, with `samples` as its dataset.
      samples: with influence in their rewards.
      counter: of the logged counts.
      logger: of the model; the inner learner has its own.
    """
    self._learner = learner
    self._samples = samples
    self._counter = counter
    self._logger = logger

  def step(self) -> None:
    """Steps the inner learner, and logs the newest sample."""
    self._learner.step()
    self._logger.write({**self._samples.metrics, **self._counter.get_counts()})

  def get_variables(self, names: Sequence[str]) -> list[Any]:
    """Returns variables of the inner learner."""
    return self._learner.get_variables(list(names))

  def save(self) -> dict[str, Any]:
    """Returns the states of the model and of the inner learner."""
    with self._samples.lock:
      moa = jax.device_get(self._samples.state)
      return {'moa': moa, 'learner': self._learner.save()}

  def restore(self, state: dict[str, Any]) -> None:
    """Restores a state returned by `save`."""
    with self._samples.lock:
      self._samples.state = jax.tree_util.tree_map(jnp.asarray, state['moa'])
      self._learner.restore(state['learner'])
