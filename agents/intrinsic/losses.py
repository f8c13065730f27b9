"""Computes the losses of the model of others, and its influence.

A sequence holds the others' next actions, and the model learns from them. A
transition does not: it ends with the observation before the others' next
actions. But it holds everyone's actions on its first observation, so that a
head learns everyone's actions on an observation, and its policies on the next
observation are the targets of the model:

    present(o_t) -> a_t of all
    next(o_t, a_t) -> present(o_{t+1}) of the others

The mean of the latter over o_{t+1}, given o_t and a_t, is the distribution of
the others' next actions. The same head replaces the agent's own policy if its
logits are not known.

Letters: T rows, B batch, N agents, J = N - 1 others, A actions, K own
counterfactual actions (K = A).
"""

import chex
import jax
import jax.numpy as jnp
import optax

from influence_acme import ops, types
from influence_acme.agents.intrinsic import config as config_lib
from influence_acme.agents.intrinsic import networks as networks_lib
from influence_acme.agents.intrinsic import rows as rows_lib

Metrics = dict[str, chex.Array]


def sequence_loss(
  output: networks_lib.MOAOutput,
  rows: rows_lib.Rows,
  config: config_lib.MOAConfig,
  *,
  models_self: bool,
) -> tuple[chex.Array, Metrics]:
  """Computes the loss of a batch of sequences, float32 [], and its parts.

  Args:
    output: of the model.
    rows: of the batch.
    config: for `moa_only_visible`.
    models_self: if True, the model also learns the agent's own policy.
  """
  others = types.others(config.own_index, config.num_agents)
  following = ops.moa_loss(
    output.next_logits,
    rows.actions[..., others],
    mask=rows.visible[..., others] if config.moa_only_visible else None,
    episode_mask=rows.predicts,
  )
  metrics = {'moa_loss': following.loss, 'moa_accuracy': following.accuracy}
  if not models_self:
    return following.loss, metrics
  own = slice(config.own_index, config.own_index + 1)
  present = _present_loss(
    output.present_logits[..., own, :], rows.actions[..., own], rows.is_step
  )
  return following.loss + present, dict(metrics, present_loss=present)


def transition_loss(
  output: networks_lib.MOAOutput,
  rows: rows_lib.Rows,
  config: config_lib.MOAConfig,
) -> tuple[chex.Array, Metrics]:
  """Computes the loss of a batch of transitions, float32 [], and its parts.

  Args:
    output: of the model.
    rows: of the batch, T = 2.
    config: for `moa_only_visible`.
  """
  others = types.others(config.own_index, config.num_agents)
  logits = output.next_logits[0]  # [B, J, A]
  expected = jax.lax.stop_gradient(output.present_logits[1][:, others])
  weight = jnp.broadcast_to(rows.predicts[0][:, None], logits.shape[:-1])
  if config.moa_only_visible:
    weight = weight & rows.visible[0][:, others]

  def mean(values):
    return jnp.sum(values, where=weight) / jnp.maximum(jnp.sum(weight), 1)

  following = mean(
    optax.softmax_cross_entropy(logits, jax.nn.softmax(expected))
  )
  is_hit = jnp.argmax(logits, axis=-1) == jnp.argmax(expected, axis=-1)
  present = _present_loss(output.present_logits, rows.actions, rows.is_step)
  return following + present, {
    'moa_loss': following,
    'moa_accuracy': mean(is_hit.astype(jnp.float32)),
    'present_loss': present,
  }


def _present_loss(
  logits: chex.Array, actions: chex.Array, is_step: chex.Array
) -> chex.Array:
  """Computes the mean cross-entropy of actions in their own rows, float32 [].

  Args:
    logits: float32 [T, B, n, A], of any n agents.
    actions: int32 [T, B, n].
    is_step: bool [T, B], rows that count.
  """
  # `moa_loss` pairs each row with the one after it.
  return ops.moa_loss(
    jnp.concatenate([logits, logits[-1:]]),
    jnp.concatenate([actions[:1], actions]),
    episode_mask=jnp.concatenate([is_step, is_step[-1:]]),
  ).loss


def influence(
  output: networks_lib.MOAOutput,
  rows: rows_lib.Rows,
  config: config_lib.MOAConfig,
  policy_logits: chex.Array,
) -> chex.Array:
  """Computes the influence of every row, float32 [T, B] nats, 0 if undefined.

  Args:
    output: of the model.
    rows: of the batch.
    config: for the measure.
    policy_logits: float32 [T, B, K], of the agent's own policy.
  """
  others = types.others(config.own_index, config.num_agents)
  next_actions, counts = None, rows.influences
  if config.influence_measure == 'pmi':
    next_actions = jnp.roll(rows.actions[..., others], -1, axis=0)
    counts = rows.predicts  # Where the next actions are known.
  return ops.influence_reward(
    output.counterfactual_logits,
    policy_logits,
    rows.own_actions,
    measure=config.influence_measure,
    others_actions=next_actions,
    mask=rows.visible[..., others] & counts[..., None],
  ).reward
