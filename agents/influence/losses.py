"""What one agent learns from: V-trace actor-critic, entropy and the MOA.

Rows of a sequence (see `ops.episode_masks`): row t holds what was seen before
step t, the step itself, and its reward. The last row only bootstraps. A dummy
row holds an episode's last observation; it is no step and has weight 0 in
every loss, and V-trace ends before it, bootstrapping from its value.

Letters: T steps (T + 1 rows), B sequences, N agents, J = N - 1 others, A
actions, U hidden units.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import rlax

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.agents.influence import config as config_lib
from influence_acme.agents.influence import turns

Metrics = Mapping[str, chex.Array]


class Sequences(NamedTuple):
  """A batch, time-major; of one agent, or [N, ...] for all.

  Attributes:
    observation: 'world' uint8 [T + 1, B, H, W, 3], 'actions' int32
      [T + 1, B, N] and 'visible' bool [T + 1, B, N].
    own_actions: int32 [T + 1, B].
    actions: int32 [T + 1, B, N], everyone's.
    reward: float32 [T + 1, B], what the agent trains on, not yet scaled.
    discount: float32 [T + 1, B], the environment's.
    start_of_episode: bool [T + 1, B].
    behaviour_logits: float32 [T + 1, B, A].
    core_state: float32 [B, U] each, before the first row.
  """

  observation: Mapping[str, chex.Array]
  own_actions: chex.Array
  actions: chex.Array
  reward: chex.Array
  discount: chex.Array
  start_of_episode: chex.Array
  behaviour_logits: chex.Array
  core_state: networks_lib.CoreState


# (params, own_index, sequences of one agent) -> (loss [], metrics).
LossFn = Callable[..., tuple[chex.Array, Metrics]]


def make_loss(
  agent: networks_lib.AgentNetworks, config: config_lib.InfluenceConfig
) -> LossFn:
  """Returns one agent's loss: V-trace actor-critic, entropy and MOA."""

  def loss_fn(params, own_index, sequences: Sequences):
    start = sequences.start_of_episode
    masks = ops.episode_masks(start)
    observation = dict(sequences.observation)
    if config.takes_turns:
      observation['influencers'] = turns.what_is_seen(
        own_index, sequences.actions, config.num_influencers
      )
    output = agent.unroll(
      params,
      observation,
      sequences.actions,
      start,
      sequences.core_state,
    )
    losses = _actor_critic_losses(output, sequences, masks.is_dummy, config)

    loss = (
      losses['policy_loss']
      + config.value_cost * losses['value_loss']
      - config.entropy_cost * losses['entropy']
    )
    if output.moa_logits is not None:
      moa = _moa_loss(output, own_index, sequences, masks.episode_mask, config)
      loss += config.moa_loss_weight * moa.loss
      losses.update(moa_loss=moa.loss, moa_accuracy=moa.accuracy)
    return loss, dict(losses, loss=loss)

  return loss_fn


def _moa_loss(
  output: networks_lib.UnrollOutput,
  own_index: chex.Numeric,
  sequences: Sequences,
  episode_mask: chex.Array,
  config: config_lib.InfluenceConfig,
) -> ops.MOALoss:
  """Returns the loss of one agent's model of the others.

  Args:
    output: of all T + 1 rows.
    own_index: int [], which of the N agents this one is.
    sequences: of this agent.
    episode_mask: float32 [T + 1, B], see `ops.episode_masks`.
    config: for whether only those in view count.
  """
  others = types.others(own_index, sequences.actions.shape[-1])
  visible = jnp.take(sequences.observation['visible'], others, axis=-1)
  return ops.moa_loss(
    output.moa_logits,
    jnp.take(sequences.actions, others, axis=-1),
    mask=visible if config.moa_only_visible else None,
    episode_mask=episode_mask,
  )


def _actor_critic_losses(
  output: networks_lib.UnrollOutput,
  sequences: Sequences,
  is_dummy: chex.Array,
  config: config_lib.InfluenceConfig,
) -> dict[str, chex.Array]:
  """Returns the policy loss, value loss and entropy; means over real steps.

  Args:
    output: of all T + 1 rows.
    sequences: of one agent.
    is_dummy: bool [T + 1, B].
    config: for the reward scale, discount and lambda.
  """
  is_step = 1.0 - is_dummy[:-1].astype(jnp.float32)  # [T, B]
  # Of a row before a dummy row the next row is no step: its value bootstraps.
  lambda_ = config.vtrace_lambda * (1.0 - is_dummy[1:].astype(jnp.float32))
  logits, actions = output.logits[:-1], sequences.own_actions[:-1]
  rhos = rlax.categorical_importance_sampling_ratios(
    logits, sequences.behaviour_logits[:-1], actions
  )
  vtrace = jax.vmap(rlax.vtrace_td_error_and_advantage, in_axes=1, out_axes=1)(
    output.value[:-1],
    output.value[1:],
    config.reward_scale * sequences.reward[:-1],
    config.discount * sequences.discount[:-1] * is_step,
    jax.lax.stop_gradient(rhos),
    lambda_,
  )
  # Weights of mean 1, so that rlax's means over rows are means over steps.
  weights = is_step / jnp.maximum(jnp.mean(is_step), 1e-8)

  def batched(fn):
    return jax.vmap(fn, in_axes=1)

  return {
    'policy_loss': jnp.mean(
      batched(rlax.policy_gradient_loss)(
        logits, actions, vtrace.pg_advantage, weights
      )
    ),
    'value_loss': jnp.mean(weights * rlax.l2_loss(vtrace.errors)),
    'entropy': -jnp.mean(batched(rlax.entropy_loss)(logits, weights)),
    'value': jnp.mean(weights * output.value[:-1]) / config.reward_scale,
  }


def _agents_first(state: Any) -> hk.LSTMState | Any:
  """Brings a recurrent state, or an empty one, from [B, N, U] to [N, B, U]."""
  return hk.LSTMState(*(jnp.swapaxes(x, 0, 1) for x in state)) if state else ()


def to_sequences(data: Any) -> Sequences:
  """Brings a batch of rows [B, T + 1, N, ...] to the learner's layout.

  Args:
    data: the replay's steps: stacked timesteps of all agents, as the actor
      adds them, with the recurrent states of the first row alone, [B, N, U].

  Returns:
    Sequences of all agents, [N, T + 1, B, ...].
  """
  num_agents = data.action.shape[2]

  def to_front(x):
    # Pixels move as one long axis, several times faster than as three.
    flat = x.reshape((*x.shape[:3], -1))
    flat = jnp.moveaxis(flat, (2, 1), (0, 1))  # [N, T + 1, B, ...]
    return flat.reshape(flat.shape[:3] + x.shape[3:])

  def for_all(x):
    x = jnp.swapaxes(x, 0, 1)
    return jnp.broadcast_to(x, (num_agents, *x.shape))

  return Sequences(
    observation={k: to_front(v) for k, v in data.observation.items()},
    own_actions=to_front(data.action),
    actions=for_all(data.action),
    reward=to_front(data.reward),
    discount=for_all(data.discount),
    start_of_episode=for_all(data.start_of_episode),
    behaviour_logits=to_front(data.extras['logits']),
    # TensorFlow, which reads the replay, gives look-alikes of our tuples.
    core_state=networks_lib.CoreState(
      *map(_agents_first, data.extras['core_state'])
    ),
  )
