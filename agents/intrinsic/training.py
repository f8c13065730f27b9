"""Computes influence by the model of others on a batch, then updates the model.

Influence is that of the model before its update on the batch, as an actor with
the current parameters would compute it.

Letters: T rows, B batch, K own actions.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax

from influence_acme import xla_threads
from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import losses
from influence_acme.agents.intrinsic import networks as networks_lib
from influence_acme.agents.intrinsic import rows as rows_lib


class TrainingState(NamedTuple):
  """Holds the parameters and the state of the optimiser."""

  params: chex.ArrayTree
  opt_state: optax.OptState


class UpdateOutput(NamedTuple):
  """Holds the influence in a batch, and the metrics of the update.

  Attributes:
    influence: float32, shaped like the reward of the sample, in nats; 0 in
      rows without influence.
    is_consistent: bool [], True if the agent's own actions equal those of it in
      the observations.
    metrics: float32 [] each: means over the steps of the batch.
  """

  influence: chex.Array
  is_consistent: chex.Array
  metrics: losses.Metrics


class CompiledMOA(NamedTuple):
  """Holds the compiled functions of `MOA`."""

  init: Callable[[chex.PRNGKey], TrainingState]
  update: Callable[..., tuple[TrainingState, UpdateOutput]]


def own_logits(
  data: Any, policy_logits_fn: Callable[[Any], Any] | None, sample: Any
) -> Any:
  """Returns the logits of the agent's own policy, or None if not known.

  Args:
    data: of the sample.
    policy_logits_fn: of the builder.
    sample: the whole sample, for the function.

  Returns:
    float32 [B, T, K] or, for transitions, [B, K].
  """
  if isinstance(data.extras, Mapping) and 'logits' in data.extras:
    return data.extras['logits']
  return None if policy_logits_fn is None else policy_logits_fn(sample)


class MOA:
  """Defines the model of others by pure functions of its state."""

  def __init__(
    self, config: config_lib.MOAConfig, actions_key: str, visible_key: str
  ):
    """Makes the functions.

    Args:
      config: of the model.
      actions_key: of an observation, see `rows.read`.
      visible_key: likewise.
    """
    self._config = config
    self._keys = (actions_key, visible_key)
    self._networks = networks_lib.make_networks(config)
    self._optimizer = optax.chain(
      optax.clip_by_global_norm(config.max_gradient_norm),
      optax.adam(config.learning_rate, eps=config.adam_epsilon),
    )

  def init(self, key: chex.PRNGKey) -> TrainingState:
    """Returns the state before training."""
    params = self._networks.init(key)
    return TrainingState(params, self._optimizer.init(params))

  def update(
    self, state: TrainingState, data: Any, logits: chex.Array | None
  ) -> tuple[TrainingState, UpdateOutput]:
    """Computes the influence in a batch and updates the model; jittable.

    Args:
      state: before the batch.
      data: sequences or transitions.
      logits: of the agent's own policy, see `own_logits`.

    Returns:
      The next state, and the influence by the former one.

    Raises:
      ValueError: the batch does not fit.
    """
    config = self._config
    rows = rows_lib.read(data, config, *self._keys)
    is_sequence = rows_lib.is_sequence(data)
    if not is_sequence and config.influence_measure == 'pmi':
      raise ValueError(
        "influence_measure is 'pmi': it takes the others' next actions, which "
        "transitions do not hold. Choose 'kl' or 'jsd'."
      )

    def loss_fn(params):
      output = self._networks.unroll(params, rows)
      if is_sequence:
        loss, metrics = losses.sequence_loss(
          output, rows, config, models_self=logits is None
        )
      else:
        loss, metrics = losses.transition_loss(output, rows, config)
      own = output.present_logits[..., config.own_index, :]
      if logits is not None:
        own = self._by_row(logits, own.shape, is_sequence)
      return loss, (losses.influence(output, rows, config, own), metrics)

    gradient, (influence, metrics) = jax.grad(loss_fn, has_aux=True)(
      state.params
    )
    updates, opt_state = self._optimizer.update(gradient, state.opt_state)
    params = optax.apply_updates(state.params, updates)
    influence = influence.T if is_sequence else influence[0]
    metrics = dict(
      metrics, **_means(data.reward, influence, rows.is_step, is_sequence)
    )
    own = rows.actions[..., config.own_index]
    is_consistent = jnp.all((own == rows.own_actions) | ~rows.is_step)
    return (
      TrainingState(params, opt_state),
      UpdateOutput(influence, is_consistent, metrics),
    )

  def _by_row(
    self, logits: chex.Array, shape: tuple[int, ...], is_sequence: bool
  ) -> chex.Array:
    """Transposes logits of the sample to the rows' layout, [T, B, K].

    Actions that only other agents have get probability 0.
    """
    by_row = jnp.asarray(logits)
    missing = max(self._config.num_actions - by_row.shape[-1], 0)
    by_row = jnp.concatenate(
      [by_row, jnp.full((*by_row.shape[:-1], missing), -jnp.inf)], axis=-1
    )
    if is_sequence and by_row.ndim == 3:
      by_row = jnp.swapaxes(by_row, 0, 1)
    elif by_row.ndim == 2:
      by_row = jnp.stack([by_row, by_row])  # Of the second row: not read.
    if by_row.shape != shape:
      raise ValueError(
        f'The logits of the own policy are of shape {jnp.shape(logits)}: they '
        'must be those of the rewards, and one number for each of at most '
        f'{self._config.num_actions} actions, those of the MOAConfig.'
      )
    return by_row


def compile_moa(
  config: config_lib.MOAConfig, actions_key: str, visible_key: str
) -> CompiledMOA:
  """Returns the compiled functions of a model, the same for equal arguments.

  Args:
    config: of the model.
    actions_key: of an observation, see `rows.read`.
    visible_key: likewise.
  """
  # The model does not depend on the weight: learners share it across weights.
  config = dataclasses.replace(
    config, influence_weight=0.0, influence_curriculum_steps=0
  )
  return _compile_moa(config, actions_key, visible_key)


@functools.lru_cache
def _compile_moa(
  config: config_lib.MOAConfig, actions_key: str, visible_key: str
) -> CompiledMOA:
  moa = MOA(config, actions_key, visible_key)
  return CompiledMOA(
    jax.jit(moa.init), xla_threads.jit(moa.update, is_large=True)
  )


def _means(
  reward: chex.Array,
  influence: chex.Array,
  is_step: chex.Array,
  is_sequence: bool,
) -> losses.Metrics:
  """Computes the mean reward and influence of a step."""
  counts = is_step.T if is_sequence else is_step[0]
  num_steps = jnp.maximum(jnp.sum(counts), 1)
  return {
    'extrinsic': jnp.sum(reward, where=counts) / num_steps,
    'influence': jnp.sum(influence, where=counts) / num_steps,
  }
