"""Changes the rewards that an Acme learner sees, and learns what they are by.

                       +--------------------------------------+
    replay -> samples -| MOA: judge influence, then learn     |-> samples whose
                       +--------------------------------------+   reward is
                                                                  e + w * c
The inner learner takes what comes out for what the replay holds.
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

from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import training

# What counts hold of environment steps: in our programs, and in Acme's layouts.
_STEPS_KEYS = ('environment_steps', 'actor_steps')


class InfluencedSamples(Iterator[reverb.ReplaySample]):
  """Samples with influence in their rewards; any thread may take them.

  Many learners of Acme take samples ahead of time, in a thread of their own:
  the model of others is then some samples ahead of the learner.

  Attributes:
    lock: to be held where `state` is read or written.
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
    """Makes the iterator, and a model that has learned nothing.

    Args:
      samples: of the replay.
      moa: the model of others.
      key: for the model's first parameters.
      weight_fn: gives the weight of the influence now.
      policy_logits_fn: gives the logits of the agent's own policy, if it is
        given and the extras do not hold them.
    """
    self._samples = samples
    self._weight_fn = weight_fn
    self._policy_logits_fn = policy_logits_fn
    self._update = moa.update
    self.state = moa.init(key)
    # Two locks: who wants the state does not wait for the replay.
    self._taking = threading.Lock()
    self.lock = threading.Lock()
    self._metrics: dict[str, float] = {}

  def __next__(self) -> reverb.ReplaySample:
    """Returns the next sample with changed rewards.

    Raises:
      StopIteration: there are no more samples.
      ValueError: the sample does not fit the configuration.
      FloatingPointError: influence or loss is not finite; the model is as
        before.
    """
    with self._taking:
      sample = next(self._samples)
      return self._influenced(sample)

  @property
  def metrics(self) -> dict[str, float]:
    """What there is to log of the sample that was taken last."""
    return self._metrics

  def _influenced(self, sample: reverb.ReplaySample) -> reverb.ReplaySample:
    data = sample.data
    logits = training.own_logits(data, self._policy_logits_fn, sample)
    weight = self._weight_fn()
    with self.lock:
      state, judgement = self._update(self.state, data, logits)
      judgement = jax.device_get(judgement)
      _check(judgement)
      self.state = state
    metrics = {name: float(x) for name, x in judgement.metrics.items()}
    self._metrics = dict(metrics, influence_weight=weight)
    if not weight:
      return sample  # To the last bit.
    reward = np.asarray(data.reward)
    reward = reward + np.asarray(weight * judgement.influence, reward.dtype)
    return sample._replace(data=data._replace(reward=reward))


def _check(judgement: training.Judgement) -> None:
  """Raises: see `InfluencedSamples.__next__`."""
  if not judgement.is_consistent:
    raise ValueError(
      "own_index or n_step is wrong: the agent's own actions are not those "
      'that its next observations show of agent own_index. The config of the '
      'inner builder needs n_step=1, if it has it.'
    )
  finite = [np.isfinite(x).all() for x in jax.tree_util.tree_leaves(judgement)]
  if not all(finite):
    raise FloatingPointError(
      'Influence, or the loss of the model of others, is not finite: lower '
      'learning_rate or max_gradient_norm of the MOAConfig, or look for what '
      'is not finite in rewards and logits.'
    )


def make_weight_fn(
  config: config_lib.MOAConfig, counter: counting.Counter
) -> Callable[[], float]:
  """Returns a function of nothing that gives the weight of influence now.

  Args:
    config: with the curriculum.
    counter: counts environment steps, see `MOAConfig`.
  """

  def weight() -> float:
    counts = counter.get_counts()
    steps = max(counts.get(key, 0) for key in _STEPS_KEYS)
    return config_lib.influence_weight(config, int(steps))

  return weight


class InfluenceLearner(core.Learner):
  """An Acme learner, and the model of others that its rewards come from."""

  def __init__(
    self,
    learner: core.Learner,
    samples: InfluencedSamples,
    counter: counting.Counter,
    logger: loggers.Logger,
  ):
    """Joins the two.

    Args:
      learner: learns from `samples`.
      samples: what it learns from.
      counter: whose counts are logged.
      logger: of the model; the inner learner has its own.
    """
    self._learner = learner
    self._samples = samples
    self._counter = counter
    self._logger = logger

  def step(self) -> None:
    """Lets the inner learner take a step, and logs the newest sample."""
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
    """Goes on from what `save` returned."""
    with self._samples.lock:
      self._samples.state = jax.tree_util.tree_map(jnp.asarray, state['moa'])
      self._learner.restore(state['learner'])
