"""Computes the loss of a model of other agents (MOA).

The model's output at t, which depends on everyone's actions at t, predicts the
others' actions at t + 1. The rows of a sequence hold episodes end to end, each
with one more row, padding, for its last observation:

    row                0      1      2      3      4      5      6 = T-1
    action             a0     a1     a2     none   b0     b1     b2
    start_of_episode   1      0      0      0      1      0      0
    is_padding           0      0      0      1      0      0      (unknown)
    episode_mask       1      1      0      0      1      0      0
    predicts           a1     a2                   b1

The last row of a sequence only bootstraps: only the next row would show that it
is padding, so that it makes no prediction and is not a target.

Source: Jaques et al. 2019 (arXiv 1810.08647v4), section on modeling other
agents. Letters: T rows, J others (N - 1, in the agents' order), A actions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import checks
from influence_acme.ops import arguments, indexing


class EpisodeMasks(NamedTuple):
  """Holds the masks of a sequence's rows.

  Attributes:
    is_padding: bool [T, ...], rows that hold only an episode's last
      observation. Unknown for the sequence's last row, which has False.
    episode_mask: float32 [T, ...], 1 where rows t and t + 1 are real steps of
      one episode and t + 1 is not the sequence's last row, else 0.
  """

  is_padding: jax.Array
  episode_mask: jax.Array


class MOALoss(NamedTuple):
  """Holds the loss of predictions of the others' next actions, and its parts.

  Attributes:
    loss: float32 [], nats; mean of `cross_entropy` weighted by `weight`.
    accuracy: float32 [], in [0, 1]; share of predictions whose likeliest action
      was taken, weighted likewise.
    cross_entropy: float32 [T-1, ..., J], nats, of each prediction, unweighted.
    weight: float32 [T-1, ..., J], of each prediction.
  """

  loss: jax.Array
  accuracy: jax.Array
  cross_entropy: jax.Array
  weight: jax.Array


def episode_masks(start_of_episode: chex.Array) -> EpisodeMasks:
  """Finds padding rows, and the pairs of steps to learn from.

  Args:
    start_of_episode: bool [T, ...], rows that hold an episode's first
      observation.

  Returns:
    The masks, see `EpisodeMasks`.

  Raises:
    ValueError: it holds more than True and False, or 0 and 1.
  """
  arguments.check_flags('start_of_episode', start_of_episode)
  start = jnp.asarray(start_of_episode, bool)
  last = jnp.zeros_like(start[:1])
  is_padding = jnp.concatenate([start[1:], last])
  is_step = jnp.concatenate([~start[1:], last])
  next_is_step = jnp.concatenate([is_step[1:], last])
  # A step precedes a row of its own episode: episodes end in padding.
  return EpisodeMasks(is_padding, (is_step & next_is_step).astype(jnp.float32))


def moa_loss(
  logits: chex.Array,
  actions: chex.Array,
  *,
  mask: chex.Array | None = None,
  episode_mask: chex.Array | None = None,
) -> MOALoss:
  """Computes the cross-entropy of logits[t] and the others' actions[t+1].

  Predictions of weight 0 have no effect on the loss and its gradient, even if
  they are NaN. A NaN elsewhere makes loss and accuracy NaN, and `cross_entropy`
  shows its place. An action out of range is a NaN.

  Args:
    logits: float [T, ..., J, A], of each other's action in the next row; they
      need not be normalised, and may be -inf.
    actions: int [T, ..., J] in 0..A-1, each other's action in this row.
    mask: bool or weights [T, ..., J], of predictions by agent (those in view
      at t, say); by default all count.
    episode_mask: bool or weights [T, ...], as of `episode_masks`; by default
      all rows are steps of one episode.

  Returns:
    The loss and its parts, see `MOALoss`. The loss is 0 if all weights are.
  """
  chex.assert_shape(
    logits,
    (None, ..., None, None),
    custom_message='logits must be [T, ..., J, A].',
  )
  predictions = jnp.asarray(logits, jnp.float32)[:-1]  # [T-1, ..., J, A]
  weight = _weight(jnp.shape(logits)[:-1], mask, episode_mask)  # [T-1, ..., J]
  chex.assert_shape(
    actions,
    jnp.shape(logits)[:-1],
    custom_message='actions [T, ..., J] must match logits [T, ..., J, A].',
  )
  arguments.check_type('logits', logits, float)
  arguments.check_indices(
    'actions', jnp.asarray(actions)[1:], jnp.shape(logits)[-1], weight > 0
  )
  targets = jnp.asarray(actions)[1:]  # [T-1, ..., J]

  # Without this a NaN of weight 0 would reach the gradient, as 0 * NaN.
  predictions = jnp.where(
    weight[..., None] == 0, jax.lax.stop_gradient(predictions), predictions
  )
  log_probs = jax.nn.log_softmax(predictions, axis=-1)
  cross_entropy = -indexing.select(log_probs, targets, axis=-1)
  is_hit = jnp.argmax(log_probs, axis=-1) == targets
  hit = jnp.where(jnp.isnan(cross_entropy), jnp.nan, is_hit)
  return MOALoss(
    loss=_weighted_mean(cross_entropy, weight),
    accuracy=_weighted_mean(hit, weight),
    cross_entropy=cross_entropy,
    weight=weight,
  )


def moa_skill(
  moa: MOALoss, actions: chex.Array, *, num_actions: int
) -> jax.Array:
  """Compares a model with one that knows how often each action is taken.

  Args:
    moa: as of `moa_loss`, of these actions.
    actions: int [T, ..., J] in 0..A-1, each other's action in this row.
    num_actions: A.

  Returns:
    float32 [], nats an action: the entropy of each other agent's actions,
    weighted as the loss, less the loss. Frequencies of few actions are closer
    to them than to those that follow: then it is too small. 0 if all weights
    are.
  """
  checks.integer('num_actions', num_actions, 1)
  chex.assert_shape(
    jnp.asarray(actions)[1:],
    jnp.shape(moa.weight),
    custom_message='actions must be [T, ..., J], as in the loss.',
  )
  arguments.check_indices(
    'actions', jnp.asarray(actions)[1:], num_actions, moa.weight > 0
  )
  taken = jax.nn.one_hot(jnp.asarray(actions)[1:], num_actions)
  taken = taken * moa.weight[..., None]  # [T-1, ..., J, A]
  counts = jnp.sum(taken, axis=tuple(range(taken.ndim - 2)))  # [J, A]
  number = jnp.sum(counts, axis=-1)  # [J]
  shares = counts / jnp.maximum(number, 1e-9)[:, None]
  entropy = jnp.sum(jax.scipy.special.entr(shares), axis=-1)  # [J]
  return _weighted_mean(entropy, number) - moa.loss


def _weight(
  shape: tuple[int, ...],
  mask: chex.Array | None,
  episode_mask: chex.Array | None,
) -> jax.Array:
  """Computes weights [T-1, ..., J] of predictions made in rows of `shape`."""
  arguments.check_weights('mask', mask)
  arguments.check_weights('episode_mask', episode_mask)
  weight = jnp.ones(shape, jnp.float32)
  if mask is not None:
    chex.assert_shape(
      mask, shape, custom_message='mask must be [T, ..., J], as actions are.'
    )
    weight *= jnp.asarray(mask, jnp.float32)
  if episode_mask is not None:
    chex.assert_shape(
      episode_mask,
      shape[:-1],
      custom_message='episode_mask must be [T, ...], as actions are.',
    )
    weight *= jnp.asarray(episode_mask, jnp.float32)[..., None]
  return weight[:-1]


def _weighted_mean(values: jax.Array, weight: jax.Array) -> jax.Array:
  """Computes a weighted mean; 0 if all weights are."""
  weighted = jnp.where(weight == 0, 0, weight * values)
  return weighted.sum() / jnp.maximum(weight.sum(), 1)
