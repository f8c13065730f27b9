"""Computes the influence reward: the effect of an action on others' actions.

    conditional  p(a^j | a^k, z)    j's policy, given the action of k
    marginal     sum_k' pi(k' | z) p(a^j | k', z)    j's policy, averaged over
                                    the policy of k
    influence    sum_j D[conditional || marginal]

z is everything that both have observed so far. The caller chooses the source of
p (the others' own policies, or a model of them), and the time step.

Source: Jaques et al., "Social Influence as Intrinsic Motivation for
Multi-Agent Deep Reinforcement Learning", ICML 2019 (arXiv 1810.08647v4).

Letters: `...` any batch axes, J the others (N - 1, in the agents' order), K the
agent's own choices (actions or symbols), A an other's actions.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme.ops import arguments, indexing


class InfluenceOutput(NamedTuple):
  """Holds the influence of one agent's choice on each of the others.

  Attributes:
    reward: float32 [...], nats; the sum of `per_agent` over the others.
    per_agent: float32 [..., J], nats; 0 for an other that is masked out.
    marginal_log_probs: float32 [..., J, A], the others' policies averaged over
      the agent's own policy.
    conditional_log_probs: float32 [..., J, A], the others' policies given the
      agent's choice.
  """

  reward: jax.Array
  per_agent: jax.Array
  marginal_log_probs: jax.Array
  conditional_log_probs: jax.Array


def counterfactual_marginal(
  conditional_logits: chex.Array, policy_logits: chex.Array
) -> jax.Array:
  """Averages the others' policies over an agent's choices (the sum in Eq. 3).

  All K choices are enumerated: the same quantity as sampling, without noise.

  Args:
    conditional_logits: float [..., K, J, A], the others' logits for each of the
      agent's choices; they need not be normalised, and may be -inf.
    policy_logits: float [..., K], of the agent's policy, likewise.

  Returns:
    float32 [..., J, A], log-probabilities.
  """
  _check_shapes(conditional_logits, policy_logits)
  return _mixture(_log_softmax(conditional_logits), _log_softmax(policy_logits))


def influence_reward(
  conditional_logits: chex.Array,
  policy_logits: chex.Array,
  actions: chex.Numeric,
  *,
  measure: str = 'kl',
  others_actions: chex.Array | None = None,
  mask: chex.Array | None = None,
) -> InfluenceOutput:
  """Computes the influence of an agent's choices on each other agent.

  - 'kl', KL[conditional || marginal] (Eq. 1 and 3): in [0, -log pi(a^k)] for
    each other; its mean over the agent's policy is the mutual information
    (Eq. 4-6).
  - 'jsd', the Jensen-Shannon divergence of the two: in [0, log 2].
  - 'pmi', log conditional - log marginal at the action that the other really
    took (Eq. 7): may be negative; its mean is the mutual information too.

  No gradient flows through the result. A probability of 0 (a logit of -inf) is
  legal, with 0 log 0 = 0; for 'pmi' an action that is impossible under every
  choice counts 0. A NaN spreads no further than the other, and the batch entry,
  that it belongs to. Logits that are all -inf, and actions out of range, give
  NaN; the latter raise in debug mode, see `arguments`.

  Args:
    conditional_logits: float [..., K, J, A], the others' logits for each of the
      agent's choices; they need not be normalised.
    policy_logits: float [..., K], of the agent's policy, likewise.
    actions: int [...], the choices made, in 0..K-1.
    measure: one of `MEASURES`.
    others_actions: int [..., J] in 0..A-1, the actions that the others really
      took; read by 'pmi' alone, which needs it.
    mask: bool [..., J], False for the others that count 0, even if they are
      NaN (those out of view, say); by default everyone counts.

  Returns:
    The reward and its parts, see `InfluenceOutput`.

  Raises:
    ValueError: the measure is unknown, or lacks `others_actions`.
  """
  _check_measure(measure, others_actions)
  _check_shapes(
    conditional_logits, policy_logits, actions, others_actions, mask
  )

  conditional_logits, policy_logits = jax.lax.stop_gradient(
    (conditional_logits, policy_logits)
  )
  log_probs = _log_softmax(conditional_logits)  # [..., K, J, A]
  marginal = _mixture(log_probs, _log_softmax(policy_logits))  # [..., J, A]
  my_choice = jnp.asarray(actions)[..., None, None]
  conditional = indexing.select(log_probs, my_choice, axis=-3)  # [..., J, A]
  per_agent = MEASURES[measure].compare(conditional, marginal, others_actions)
  if mask is not None:
    per_agent = jnp.where(mask, per_agent, 0)
  return InfluenceOutput(per_agent.sum(-1), per_agent, marginal, conditional)


def _check_measure(measure: str, others_actions: chex.Array | None) -> None:
  if measure not in MEASURES:
    raise ValueError(
      f'Unknown measure {measure!r}: it must be one of {", ".join(MEASURES)}.'
    )
  if MEASURES[measure].needs_replies and others_actions is None:
    raise ValueError(f'measure={measure!r} needs others_actions, int [..., J].')


def influential_steps(influence: chex.Array) -> jax.Array:
  """Finds the steps at which an agent had more influence than on average.

  The paper counts c >= mean c; only more than the mean counts here, so that an
  agent of constant influence, such as none, has no influential step.

  Args:
    influence: float [T, N], each agent's influence c at each step.

  Returns:
    bool [T, N]. Their mean is the share of influential steps.
  """
  chex.assert_shape(
    influence, (None, None), custom_message='influence must be [T, N].'
  )
  arguments.check_real('influence', influence)
  influence = jnp.asarray(influence, jnp.float32)
  # Compare changes since the first step: a mean of equal numbers is rounded.
  change = influence - influence[:1]
  return change > change.mean(0)


def _check_shapes(
  conditional_logits: chex.Array,
  policy_logits: chex.Array,
  actions: chex.Numeric | None = None,
  others_actions: chex.Array | None = None,
  mask: chex.Array | None = None,
) -> None:
  """Asserts that the arguments have the shapes that their docstrings give."""
  chex.assert_shape(
    conditional_logits,
    (..., None, None, None),
    custom_message='conditional_logits must be [..., K, J, A].',
  )
  *batch, num_choices, num_others, num_actions = jnp.shape(conditional_logits)
  expected = {
    'policy_logits [..., K]': (policy_logits, (*batch, num_choices)),
    'actions [...]': (actions, tuple(batch)),
    'others_actions [..., J]': (others_actions, (*batch, num_others)),
    'mask [..., J]': (mask, (*batch, num_others)),
  }
  for name, (array, shape) in expected.items():
    if array is not None:
      chex.assert_shape(
        array,
        shape,
        custom_message=f'{name} must match conditional_logits [..., K, J, A].',
      )
  arguments.check_type('conditional_logits', conditional_logits, float)
  arguments.check_type('policy_logits', policy_logits, float)
  arguments.check_flags('mask', mask)
  all_count = jnp.ones((*batch, num_others), bool)
  counts = all_count if mask is None else jnp.asarray(mask, bool)
  arguments.check_indices('actions', actions, num_choices, counts.any(-1))
  arguments.check_indices('others_actions', others_actions, num_actions, counts)


def _log_softmax(logits: chex.Array) -> jax.Array:
  return jax.nn.log_softmax(jnp.asarray(logits, jnp.float32), axis=-1)


def _mixture(
  conditional_log_probs: jax.Array, policy_log_probs: jax.Array
) -> jax.Array:
  """Mixes distributions [..., K, J, A] with the weights [..., K]."""
  weights = policy_log_probs[..., None, None]  # [..., K, 1, 1]
  return jax.nn.logsumexp(weights + conditional_log_probs, axis=-3)


def _jsd_measure(
  conditional: jax.Array, marginal: jax.Array, replies: chex.Array | None
) -> jax.Array:
  del replies
  middle = jnp.logaddexp(conditional, marginal) - math.log(2)
  return (_kl(conditional, middle) + _kl(marginal, middle)) / 2


def _pmi_measure(
  conditional: jax.Array, marginal: jax.Array, replies: chex.Array | None
) -> jax.Array:
  # Equal ones may both be -inf, whose difference would be NaN.
  ratio = jnp.where(conditional == marginal, 0, conditional - marginal)
  return indexing.select(ratio, replies, axis=-1)


def _kl(log_p: jax.Array, log_q: jax.Array) -> jax.Array:
  """KL divergence of log-probabilities over their last axis, in nats."""
  p = jnp.exp(log_p)
  divergence = jnp.where(p == 0, 0, p * (log_p - log_q)).sum(-1)
  # Rounding alone can make it negative. A NaN stays one.
  return jnp.maximum(divergence, 0)


class Measure(NamedTuple):
  """Defines a measure of influence.

  Attributes:
    compare: (conditional, marginal log-probabilities [..., J, A], replies int
      [..., J] or None) -> nats [..., J].
    needs_replies: True if it needs the actions that the others really took.
  """

  compare: Callable[..., jax.Array]
  needs_replies: bool = False


MEASURES = {
  'kl': Measure(lambda conditional, marginal, _: _kl(conditional, marginal)),
  'jsd': Measure(_jsd_measure),
  'pmi': Measure(_pmi_measure, needs_replies=True),
}
