"""Wraps an Acme agent's builder to add influence to its learner's rewards."""

from collections.abc import Callable, Iterator
from typing import Any

import chex
import jax
import reverb
from acme import core, specs
from acme.agents.jax import builders
from acme.utils import counting, loggers

from influence_acme import checks
from influence_acme.adders import parts
from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import learning, training
from influence_acme.multiagent import builder_wrapper

# Index of the model's key, folded into the learner's.
_KEY_ID = 0x4D4F41


class InfluenceLearnerBuilder(builder_wrapper.BuilderWrapper):
  """Wraps the builder of any single-agent Acme agent with discrete actions.

  The inner agent's code, its actors and its replay do not change. Its learner
  gets samples with rewards extrinsic + weight * influence; influence comes from
  a model of the other agents that learns from the same samples.
  """

  def __init__(
    self,
    builder: builders.GenericActorLearnerBuilder,
    *,
    moa_config: config_lib.MOAConfig,
    policy_logits_fn: Callable[[reverb.ReplaySample], Any] | None = None,
    actions_key: str = 'actions',
    visible_key: str = 'visible',
    logger_fn: Callable[[], loggers.Logger | None] = lambda: None,
  ):
    """Wraps a builder.

    Args:
      builder: of the inner agent. Its replay holds sequences of a
        SequenceAdder, or transitions of one step.
      moa_config: of the model of others.
      policy_logits_fn: the inner agent's policy, for the marginal: takes a
        sample and returns float32 [B, T, A], or [B, A] for transitions. It is
        called if the extras of the replay have no 'logits'. Without it the
        model learns the agent's policy from its actions.
      actions_key: of the observation's entry with everyone's last actions,
        int32 [N].
      visible_key: of the entry with the agents in view, bool [N].
      logger_fn: makes the logger of the model; Acme's default if it returns
        None. The inner learner has its own.

    Raises:
      ValueError: the replay of the inner agent holds steps of several actions,
        or its burn-in is another, or an argument is of another kind.
    """
    if not isinstance(moa_config, config_lib.MOAConfig):
      raise ValueError(f'moa_config is {moa_config!r}: it must be a MOAConfig.')
    if policy_logits_fn is not None:
      checks.function('policy_logits_fn', policy_logits_fn)
    checks.function('logger_fn', logger_fn)
    # The field of Acme's builders.
    config = getattr(builder, '_config', None)
    burn_in = getattr(config, 'burn_in_length', moa_config.burn_in_length)
    if burn_in != moa_config.burn_in_length:
      raise ValueError(
        f'burn_in_length is {moa_config.burn_in_length!r} in the MOAConfig: it '
        f'must be {burn_in!r}, as in the config of the inner builder.'
      )
    n_step = getattr(config, 'n_step', 1)
    if n_step != 1:
      raise ValueError(
        f'n_step is {n_step!r} in the config of the inner builder: it must be '
        '1, since a transition of several steps does not hold what the others '
        'did in each.'
      )
    super().__init__(builder)
    self._config = moa_config
    self._policy_logits_fn = policy_logits_fn
    self._keys = (actions_key, visible_key)
    self._logger_fn = logger_fn

  def make_learner(
    self,
    random_key: chex.PRNGKey,
    networks: Any,
    dataset: Iterator[reverb.ReplaySample],
    replay_client: reverb.Client | None = None,
    counter: counting.Counter | None = None,
  ) -> core.Learner:
    """Makes the inner learner, on samples with influence in their rewards.

    Args:
      random_key: passed to the inner learner unchanged.
      networks: of the inner agent.
      dataset: samples of the replay.
      replay_client: for the inner learner's priorities.
      counter: of the program; its environment steps drive the curriculum. None
        where there is no curriculum, or the learner does not step.

    Returns:
      The learner, with the inner one's variables.
    """
    samples = learning.InfluencedSamples(
      dataset,
      training.compile_moa(self._config, *self._keys),
      jax.random.fold_in(random_key, _KEY_ID),
      learning.make_weight_fn(self._config, counter),
      self._policy_logits_fn,
    )
    counter = counter or counting.Counter()
    learner = super().make_learner(
      random_key, networks, samples, replay_client, counter
    )
    logger = self._logger_fn() or loggers.make_default_logger('influence')
    return learning.InfluenceLearner(learner, samples, counter, logger)

  def make_replay_tables(
    self, environment_spec: specs.EnvironmentSpec
  ) -> list[reverb.Table]:
    """Makes the inner agent's tables.

    Raises:
      ValueError: the rewards are not floating-point, which influence is.
    """
    parts.check_floating(environment_spec.rewards)
    return super().make_replay_tables(environment_spec)
