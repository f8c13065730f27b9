"""Measures the coordination of agents and the consistency of their messages.

All are measures of one episode, see `episode`. Letters: T steps, N agents, M
symbols, A actions.
"""

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import ops

# Rows are padded to a multiple of these, so that few lengths are compiled.
_ROWS = 128
_NUM_SHUFFLES = 20


class Choices(NamedTuple):
  """Holds the agents' choices in an episode.

  Attributes:
    num_actions: A.
    num_symbols: M; 0 without messages.
    actions: int32 [T, N].
    messages: int32 [T, N]; None without messages.
  """

  num_actions: int
  num_symbols: int
  actions: np.ndarray
  messages: np.ndarray | None


def make_choices(chosen: Any, num_actions: int, num_symbols: int) -> Choices:
  """Makes `Choices` from an actor's choices.

  Args:
    chosen: int32 [T, N], actions; or 'action' and 'message', such arrays.
    num_actions: A.
    num_symbols: M; 0 without messages.
  """
  if isinstance(chosen, Mapping):
    both = chosen['action'], chosen['message']
    return Choices(num_actions, num_symbols, *both)
  return Choices(num_actions, num_symbols, chosen, None)


def of_scrambled(
  choices: Choices, influence: np.ndarray | None
) -> dict[str, float]:
  """Measures messages that were shuffled in time, as a control.

  Args:
    choices: of the episode.
    influence: as for `of_choices`; for the measure of influential steps,
      messages are shuffled among these.

  Returns:
    The measures of messages of `of_choices`, with '_scrambled' appended to
    their names: means over 20 shuffles. Empty without messages.
  """
  if choices.messages is None:
    return {}
  mask = None if influence is None else ops.influential_steps(influence)
  shuffled = []
  for seed in range(_NUM_SHUFFLES):
    key = jax.random.PRNGKey(seed)
    of_all, of_influential = (
      of_choices(
        choices._replace(
          messages=np.asarray(ops.scramble(choices.messages, key, mask=within))
        ),
        influence,
      )
      for within in (None, mask)
    )
    name = 'message_coordination_influential'
    shuffled.append({**of_all, name: of_influential[name]})
  return {
    f'{name}_scrambled': float(np.mean([each[name] for each in shuffled]))
    for name in shuffled[0]
    if not name.startswith('action_')
  }


def of_choices(
  choices: Choices, influence: np.ndarray | None
) -> dict[str, float]:
  """Measures the coordination of agents and the consistency of their messages.

  Args:
    choices: of the episode.
    influence: float32 [T, N], nats, as of `episode.of_influence`; None if not
      measured.

  Returns:
    'action_coordination': instantaneous coordination from action to action, the
    largest of all ordered pairs; for agents that speak 'message_coordination',
    that from message to action, and 'speaker_consistency', NaN where agents can
    say or do one thing only. The two of coordination also from influential
    steps alone, as 'action_coordination_influential', and so on: NaN if no
    agent had any influence.
  """
  num_steps, num_agents = choices.actions.shape
  num_rows = math.ceil(num_steps / _ROWS) * _ROWS
  mask = np.zeros((num_rows - 1, num_agents), bool)
  is_known = influence is not None and np.any(influence)
  if is_known:
    influential = np.asarray(ops.influential_steps(influence))
    mask[: num_steps - 1] = influential[: num_steps - 1]

  def fill(rows):
    padding = ((0, num_rows - num_steps), (0, 0))
    return np.pad(np.asarray(rows, np.int32), padding, constant_values=-1)

  measured = _measure_choices(
    fill(choices.actions),
    None if choices.messages is None else fill(choices.messages),
    mask,
    num_actions=choices.num_actions,
    num_symbols=choices.num_symbols,
  )
  return {
    name: float(value)
    if is_known or not name.endswith('_influential')
    else math.nan
    for name, value in measured.items()
  }


@functools.partial(jax.jit, static_argnames=('num_actions', 'num_symbols'))
def _measure_choices(
  actions: jax.Array,
  messages: jax.Array | None,
  influential: jax.Array,
  *,
  num_actions: int,
  num_symbols: int,
) -> dict[str, jax.Array]:
  """Computes the measures of `of_choices`; rows of -1 do not count."""
  sources = {'action_coordination': (actions, num_actions)}
  measured = {}
  if messages is not None:
    sources['message_coordination'] = (messages, num_symbols)
    # Undefined of agents that can say or do one thing only.
    measured['speaker_consistency'] = (
      ops.speaker_consistency(
        messages, actions, num_symbols=num_symbols, num_actions=num_actions
      )
      if min(num_symbols, num_actions) > 1
      else jnp.float32(jnp.nan)
    )
  for name, (source, num_sources) in sources.items():
    for suffix, mask in ('', None), ('_influential', influential):
      measured[name + suffix] = ops.instantaneous_coordination(
        source,
        actions,
        num_sources=num_sources,
        num_targets=num_actions,
        mask=mask,
      ).max
  return measured
