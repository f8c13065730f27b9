"""Masks agents that die before their episode ends.

The observation before each step says who is alive in it. Of an agent that dies
in step 1 of an episode of four steps:

    row         0    1    2    3    4, padding
    alive       1    1    0    0    0
    reward      r0   r1   -    -
    discount    1    0    -    -
    learned     yes  yes  no   no   no

Its own discount is 0 in the step of its death, where its return ends, while the
others' is as it was. A time limit leaves who is alive in the last observation:
their values bootstrap there. Without 'alive' in the observation all live to the
end.

Letters: T steps (T + 1 rows of a sequence), B sequences, N agents, J = N - 1
others.
"""

import chex
import jax.numpy as jnp

from influence_acme import networks as networks_lib
from influence_acme import ops, types
from influence_acme.system import experiment as experiment_lib
from influence_acme.system import masks
from influence_acme.system import sequences as sequences_lib


def end_return(
  sequences: sequences_lib.Sequences, own_index: chex.Numeric
) -> tuple[sequences_lib.Sequences, chex.Array]:
  """Ends one agent's return at its death, and finds rows not to learn from.

  Args:
    sequences: of the agent, [T + 1, B, ...].
    own_index: int [], of the agent.

  Returns:
    The sequences with the agent's own discount, and bool [T + 1, B], True for
    padding and for rows in which the agent is dead.
  """
  is_padding = ops.episode_masks(sequences.start_of_episode).is_padding
  if 'alive' not in sequences.observation:
    return sequences, is_padding
  alive = jnp.take(sequences.observation['alive'], own_index, axis=-1)
  return (
    sequences._replace(discount=sequences.discount * _next(alive)),
    is_padding | ~alive,
  )


def mask_actions(sequences: sequences_lib.Sequences) -> chex.Array:
  """Returns everyone's actions, int32 [T + 1, B, N], -1 of the dead."""
  if 'alive' not in sequences.observation:
    return sequences.actions
  return jnp.where(
    sequences.observation['alive'], sequences.actions, masks.NONE
  )


def predictions(
  sequences: sequences_lib.Sequences, own_index: chex.Numeric
) -> chex.Array | None:
  """Returns the predictions of others' next actions that count.

  Args:
    sequences: of the predicting agent, [T + 1, B, ...].
    own_index: int [], of the agent.

  Returns:
    bool [T + 1, B, J], True if the agent is alive in the row and the other in
    the next; None if all count.
  """
  if 'alive' not in sequences.observation:
    return None
  alive = sequences.observation['alive']
  others = types.others(own_index, alive.shape[-1])
  own = jnp.take(alive, own_index, axis=-1)[..., None]
  return own & jnp.take(_next(alive), others, axis=-1)


def pairs(
  experiment: experiment_lib.Experiment,
  observation: networks_lib.Observation,
  next_observation: networks_lib.Observation,
) -> chex.Array | bool:
  """Returns the pairs of agents of which the first can influence the second.

  These are an agent that is alive in the step of the choice, and one that is
  alive in that of the reply.

  Args:
    experiment: that defines the delays.
    observation: of the step in which the counterfactual logits become known,
      [N, B, ...]; all agents observe the same 'alive' and 'actions'.
    next_observation: of the step after it.

  Returns:
    bool [N, B, J]; True if all can.
  """
  if 'alive' not in observation:
    return True
  alive = replies = observation['alive'][0]  # [B, N]
  if experiment.reply_delay > experiment.counterfactual_delay:
    replies = next_observation['alive'][0]
  if experiment.counterfactual_delay:  # The choice was made a step before.
    alive = observation['actions'][0] != masks.NONE
  others = types.others_of_all(alive.shape[-1])
  return alive.T[..., None] & jnp.moveaxis(replies[:, others], 1, 0)


def _next(x: chex.Array) -> chex.Array:
  """Returns the next row's values; the last row only bootstraps."""
  return jnp.concatenate([x[1:], x[-1:]])
