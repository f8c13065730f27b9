"""Reads the rows of an Acme sample for the model of others.

Sequences are those of Acme's SequenceAdder. After an episode's end, by the
inner agent's builder, the next episode follows (IMPALA, PPO), or zeros pad the
sequence (R2D2):

    row                0    1    2    3    4    5        0    1    2    3    4
    action             a0   a1   a2   0    b0   b1       a0   a1   a2   0    0
    start_of_episode   1    0    0    0    1    0        1    0    0    0    0
    holds              step step step LAST step step     step step step LAST pad
    others' actions    in the next row's observation
    is_step            1    1    1    0    1    0        1    1    1    0    0
    predicts           1    1    0    0    0    0        1    1    0    0    0
    influences         1    1    0    0    1    0        1    1    0    0    0

The row of an episode's LAST observation is padding, not a step. The last row of
a sequence only bootstraps: its actions are in no row of the sequence. It is a
step unless its action, reward, discount and extras are all zero, as in the row
of a LAST observation.

A transition is read as two rows: its own, and its next observation, without
actions.

Letters: T rows, B sequences, N agents, H x W x C a view, D the length of a
vector.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from influence_acme import ops
from influence_acme.agents.intrinsic import config as config_lib


class Rows(NamedTuple):
  """Holds the rows of one agent, time-major.

  Attributes:
    world: uint8 [T, B, H, W, C] or float32 [T, B, D].
    last_actions: int32 [T, B, N], what all did before; -1 if nobody did.
    own_actions: int32 [T, B].
    actions: int32 [T, B, N], everyone's actions; -1 if not known.
    visible: bool [T, B, N], the agents in view.
    resets: bool [T, B], True for a zero recurrent state.
    is_step: bool [T, B], steps with known actions; none in burn-in.
    influences: bool [T, B], steps with actions after them; none in burn-in.
    predicts: bool [T, B], steps with known next actions; none in burn-in.
  """

  world: chex.Array
  last_actions: chex.Array
  own_actions: chex.Array
  actions: chex.Array
  visible: chex.Array
  resets: chex.Array
  is_step: chex.Array
  influences: chex.Array
  predicts: chex.Array


def is_sequence(data: Any) -> bool:
  """Returns True for a sample of sequences, False for one of transitions.

  Args:
    data: of a `reverb.ReplaySample`.

  Raises:
    ValueError: it holds neither.
  """
  kinds = [hasattr(data, n) for n in ('start_of_episode', 'next_observation')]
  if sum(kinds) != 1:
    raise ValueError(
      'A sample must hold sequences, as of a SequenceAdder, or transitions, as '
      f'of an NStepTransitionAdder, not {type(data).__name__}.'
    )
  return kinds[0]


def read(
  data: Any, config: config_lib.MOAConfig, actions_key: str, visible_key: str
) -> Rows:
  """Reads a batch; it can be traced by JAX.

  Args:
    data: sequences, every array [B, T, ...], or transitions, [B, ...].
    config: for the shapes, and for the burn-in.
    actions_key: of the entry of an observation with everyone's last actions.
    visible_key: likewise, of the agents in view.

  Returns:
    The rows; T = 2 for transitions.

  Raises:
    ValueError: the sample does not fit; the message names the array.
  """
  if is_sequence(data):
    _check(data, data.observation, config, (actions_key, visible_key), 2)
    return _read_sequences(data, config, actions_key, visible_key)
  for observation in (data.observation, data.next_observation):
    _check(data, observation, config, (actions_key, visible_key), 1)
  return _read_transitions(data, actions_key, visible_key)


def _check(
  data: Any,
  observation: Any,
  config: config_lib.MOAConfig,
  keys: tuple[str, str],
  num_axes: int,
) -> None:
  """Raises ValueError: an array is missing or has another shape."""
  batch = jnp.shape(data.reward)
  if len(batch) != num_axes:
    raise ValueError(
      f'The rewards are of shape {batch}: each must be one number.'
    )
  shapes = {
    'world': config.view_shape,
    keys[0]: (config.num_agents,),
    keys[1]: (config.num_agents,),
  }
  for key, shape in shapes.items():
    if not isinstance(observation, Mapping) or key not in observation:
      raise ValueError(
        f'The observations lack {key!r}: wrap the multi-agent environment in '
        'influence_acme.wrappers.OthersActionsWrapper.'
      )
    if jnp.shape(observation[key]) != batch + shape:
      raise ValueError(
        f'{key!r} of the observations is {jnp.shape(observation[key])}: by the '
        f'MOAConfig it must be {batch + shape}.'
      )
  if num_axes == 2 and batch[1] < config.burn_in_length + 2:
    raise ValueError(
      f'burn_in_length is {config.burn_in_length}: it must leave at least 2 of '
      f'the {batch[1]} rows of a sequence.'
    )


def _read_sequences(
  data: Any, config: config_lib.MOAConfig, actions_key: str, visible_key: str
) -> Rows:
  data = jax.tree_util.tree_map(lambda x: jnp.swapaxes(x, 0, 1), data)
  starts = data.start_of_episode
  last_actions = data.observation[actions_key]
  unknown = jnp.full_like(last_actions[:1], -1)

  step = (data.action, data.reward, data.discount)
  is_padding = _is_blank((data.observation, *step)) & ~starts
  # The row after a LAST observation, padding or a start, tells it from steps.
  masks = ops.episode_masks(starts | is_padding)
  is_blank = _is_blank((*step, data.extras))
  acts = (~masks.is_padding).at[-1].set(~is_blank[-1])

  counts = jnp.arange(len(starts)) >= config.burn_in_length  # [T]
  is_step = acts.at[-1].set(False) & counts[:, None]
  next_acts = jnp.roll(acts, -1, axis=0)  # Of the last row: not read.
  return Rows(
    world=data.observation['world'],
    last_actions=last_actions,
    own_actions=data.action,
    actions=jnp.concatenate([last_actions[1:], unknown]),
    visible=data.observation[visible_key],
    resets=starts,
    is_step=is_step,
    influences=is_step & next_acts,
    predicts=is_step & (masks.episode_mask > 0),
  )


def _read_transitions(data: Any, actions_key: str, visible_key: str) -> Rows:
  def two(now, then):
    return jnp.stack([now, then])

  last_actions, actions = (
    x[actions_key] for x in (data.observation, data.next_observation)
  )
  yes = jnp.ones(jnp.shape(data.reward), bool)
  # A time limit leaves the discount as it is, and cannot be told.
  goes_on = data.discount != 0
  return Rows(
    world=two(data.observation['world'], data.next_observation['world']),
    last_actions=two(last_actions, actions),
    own_actions=two(data.action, jnp.zeros_like(data.action)),
    actions=two(actions, jnp.full_like(actions, -1)),
    visible=two(
      data.observation[visible_key], data.next_observation[visible_key]
    ),
    resets=two(yes, yes),
    is_step=two(yes, ~yes),
    influences=two(goes_on, ~yes),
    predicts=two(goes_on, ~yes),
  )


def _is_blank(tree: Any) -> chex.Array:
  """Returns bool [T, B]: all arrays [T, B, ...] of a tree are zero."""
  leaves = jax.tree_util.tree_leaves(tree)
  is_zero = [(x == 0).reshape((*x.shape[:2], -1)).all(-1) for x in leaves]
  return jnp.stack(is_zero).all(0)
