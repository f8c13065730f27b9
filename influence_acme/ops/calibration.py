"""Whether a model is right as often as it says: calibration.

A prediction's confidence is the probability of its likeliest action. Of all
predictions made with a confidence of 0.7, seven in ten should come true. They
are put into bins of equal width, and in each bin the mean confidence is
compared with the accuracy; over the bins these are the reliability curve.

Source: Guo et al. 2017, "On calibration of modern neural networks" (arXiv
1706.04599), Eq. 3. The error is estimated from counts: of few predictions it is
too large, since each bin's accuracy is off by chance.

Letters: `...` any axes of predictions, A actions, G bins.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme.ops import indexing

_NUM_BINS = 10


class Calibration(NamedTuple):
  """How far confidence and accuracy agree.

  Attributes:
    error: float32 [], in [0, 1]; the mean over predictions of how far their
      bin's confidence and accuracy are apart (expected calibration error).
    confidence: float32 [G], the mean in each bin; NaN where there is nothing.
    accuracy: float32 [G], how often the likeliest action was taken; likewise.
    weight: float32 [G], what the predictions in each bin count.
  """

  error: jax.Array
  confidence: jax.Array
  accuracy: jax.Array
  weight: jax.Array


def calibration(
  logits: chex.Array,
  actions: chex.Array,
  *,
  weight: chex.Array | None = None,
  num_bins: int = _NUM_BINS,
) -> Calibration:
  """Compares how sure predictions were with how often they came true.

  Bin g holds confidences above g / G, up to and with (g + 1) / G. Predictions
  of weight 0 count nothing, even if they are NaN; one that is NaN elsewhere, or
  an action out of range, makes the error NaN.

  Args:
    logits: float [..., A], predictions; they need not be normalised.
    actions: int [...] in 0..A-1, what was done.
    weight: float or bool [...], what each prediction counts; 1 by default.
    num_bins: G, at least 1.

  Returns:
    The calibration, see `Calibration`. Where nothing counts the error is 0.

  Raises:
    ValueError: there is no bin.
  """
  if num_bins < 1:
    raise ValueError(f'num_bins must be at least 1, got {num_bins}.')
  chex.assert_shape(
    logits, (..., None), custom_message='logits must be [..., A].'
  )
  chex.assert_shape(
    actions,
    jnp.shape(logits)[:-1],
    custom_message='actions must be [...], as logits [..., A] are.',
  )
  chex.assert_type(actions, int)
  probs = jax.nn.softmax(jnp.asarray(logits, jnp.float32), axis=-1)
  if weight is None:
    weight = jnp.ones(jnp.shape(actions), jnp.float32)
  chex.assert_shape(
    weight, jnp.shape(actions), custom_message='weight must be as actions are.'
  )
  return _compare(probs, actions, jnp.asarray(weight, jnp.float32), num_bins)


def _compare(
  probs: jax.Array, actions: chex.Array, weight: jax.Array, num_bins: int
) -> Calibration:
  """Puts predictions into bins; see `calibration`, whose arguments are checked.

  Args:
    probs: float32 [..., A].
    actions: int [...].
    weight: float32 [...].
    num_bins: G.

  Returns:
    The calibration.
  """
  confidence = probs.max(-1)
  hit = (jnp.argmax(probs, axis=-1) == actions).astype(jnp.float32)
  # NaN if the prediction or the action is none.
  taken = indexing.select(probs, actions, axis=-1)
  is_wrong = (jnp.isnan(taken) & (weight != 0)).any()
  confidence = jnp.where(jnp.isnan(taken), 0, confidence)

  place = jnp.ceil(confidence * num_bins).astype(jnp.int32) - 1
  bins = jax.nn.one_hot(jnp.clip(place, 0, num_bins - 1), num_bins)
  total = jnp.einsum('...g,...->g', bins, weight)

  def mean(values: jax.Array) -> jax.Array:
    summed = jnp.einsum('...g,...->g', bins, weight * values)
    return summed / jnp.where(total > 0, total, jnp.nan)

  confidences, accuracies = mean(confidence), mean(hit)  # [G]
  gaps = jnp.where(total > 0, total * jnp.abs(confidences - accuracies), 0)
  error = gaps.sum() / jnp.maximum(total.sum(), jnp.finfo(jnp.float32).tiny)
  error = jnp.where(is_wrong, jnp.nan, error)
  return Calibration(error, confidences, accuracies, total)
