"""An agent whose parameters are its outputs, so that gradients can be read."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from influence_acme import networks, ops
from influence_acme.system import sequences as sequences_lib

A, M = 4, 3  # Actions and symbols.
_NO_STATE: Any = ()


def _unroll(params, observation, *unused):
  rows = jnp.arange(len(observation['world']))[:, None]
  logits, value, message_logits, message_value = (
    params[name][rows, observation['world']]
    if name in params
    else jnp.zeros(())
    for name in ('logits', 'value', 'message_logits', 'message_value')
  )
  message = networks.HeadOutput(message_logits, message_value)
  speaks = 'message_logits' in params
  return networks.UnrollOutput(logits, value, None, message if speaks else None)


def _unused(*unused):
  raise NotImplementedError


AGENT = networks.AgentNetworks(
  init=_unused,
  initial_state=_unused,
  step=_unused,
  counterfactuals=None,
  unroll=_unroll,
  step_and_counterfactuals=None,
)


def make_params(num_rows, batch_size, *, speaks=False, rng=None):
  """Returns an output for each row of each sequence; zeros, or random ones."""
  shapes = {'logits': (A,), 'value': ()}
  if speaks:
    shapes |= {'message_logits': (M,), 'message_value': ()}
  return {
    name: (
      np.zeros((num_rows, batch_size, *shape), np.float32)
      if rng is None
      else rng.normal(size=(num_rows, batch_size, *shape)).astype(np.float32)
    )
    for name, shape in shapes.items()
  }


def make_starts(*episode_lengths, num_rows):
  """Returns start_of_episode, bool [T + 1, B], from lengths by sequence."""
  columns = []
  for lengths in episode_lengths:
    column = np.zeros(num_rows, bool)
    row = 0
    for length in lengths:
      column[row] = True
      row += length + 1  # And a padding row.
      if row >= num_rows:
        break
    columns.append(column)
  return np.stack(columns, axis=1)


def is_padding(start_of_episode):
  """Returns which rows are padding, bool [T + 1, B]."""
  return np.asarray(ops.episode_masks(start_of_episode).is_padding)


def make_sequences(start_of_episode, *, speaks=False, **fields):
  """Returns one agent's sequences [T + 1, B, ...]; zeros where not given."""
  shape = start_of_episode.shape
  zeros = np.zeros(shape, np.float32)
  index = np.broadcast_to(np.arange(shape[1]), shape)
  messages = None
  if speaks:
    messages = sequences_lib.Messages(
      np.zeros(shape, np.int32), np.zeros((*shape, M), np.float32)
    )
  observation = {
    'world': index,
    'actions': np.zeros((*shape, 2), np.int32),
    'visible': np.ones((*shape, 2), bool),
    'messages': np.zeros((*shape, 2), np.int32),
  }
  if not speaks:
    del observation['messages']
  return sequences_lib.Sequences(
    observation=observation,
    own_actions=fields.pop('own_actions', np.zeros(shape, np.int32)),
    actions=np.zeros((*shape, 2), np.int32),
    reward=fields.pop('reward', zeros),
    extrinsic=fields.pop('extrinsic', zeros),
    influence=fields.pop('influence', zeros),
    discount=fields.pop(
      'discount', (~is_padding(start_of_episode)).astype(np.float32)
    ),
    start_of_episode=start_of_episode,
    behaviour_logits=fields.pop(
      'behaviour_logits', np.zeros((*shape, A), np.float32)
    ),
    core_state=_NO_STATE,
    messages=fields.pop('messages', messages),
    **fields,
  )
