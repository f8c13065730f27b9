"""Measures calibration: the confidence of predictions against their accuracy.

A prediction's confidence is the probability of its likeliest action. Of all
predictions made with a confidence of 0.7, seven in ten should be correct. They
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

from influence_acme import checks
from influence_acme.ops import arguments, indexing

_NUM_BINS = 10


class Calibration(NamedTuple):
  """Holds the calibration error and the reliability curve of predictions.

  Attributes:
    error: float32 [], in [0, 1]; the mean over predictions of the difference of
      their bin's confidence and accuracy (expected calibration error).
    confidence: float32 [G], the mean in each bin; NaN in an empty one.
    accuracy: float32 [G], share of predictions whose likeliest action was
      taken; NaN in an empty bin.
    weight: float32 [G], total weight of the predictions in each bin.
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
  """Compares the confidence of predictions with their accuracy.

  Bin g holds confidences above g / G, up to and including (g + 1) / G.
  Predictions of weight 0 have no effect, even if they are NaN; any other NaN,
  or an action out of range, makes the error NaN.

  Args:
    logits: float [..., A], predictions; they need not be normalised.
    actions: int [...] in 0..A-1, the actions taken.
    weight: float or bool [...], of each prediction; 1 by default.
    num_bins: G, at least 1.

  Returns:
    The calibration, see `Calibration`. The error is 0 if all weights are.

  Raises:
    ValueError: num_bins is below 1.
  """
  checks.integer('num_bins', num_bins, 1)
  chex.assert_shape(
    logits, (..., None), custom_message='logits must be [..., A].'
  )
  chex.assert_shape(
    actions,
    jnp.shape(logits)[:-1],
    custom_message='actions must be [...], as logits [..., A] are.',
  )
  arguments.check_type('logits', logits, float)
  arguments.check_type('actions', actions, int)
  arguments.check_weights('weight', weight)
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
  """Computes `calibration` for checked arguments.

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
  # NaN if the prediction is NaN or the action out of range.
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
