"""What is logged of an episode, whoever played it, and how.

Both ways to play, step by step and many environments at once, keep the same few
numbers while an episode goes on, and measure them here when it has ended: the
same episode has the same row in the log. What has no meaning in an episode, as
the equality of fines, is NaN.

Letters: T steps of an episode, N agents, M symbols, A actions.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from influence_acme import ops, types
from influence_acme.ops import returns as returns_lib

# Rows are filled up to a multiple of these, so that not every length compiles.
_ROWS = 128
_NUM_SHUFFLES = 20
_GROUP = {
  'gini': jax.jit(ops.gini),
  'equality': jax.jit(ops.equality),
  'fair_return': jax.jit(ops.fair_return),
}


class Totals(NamedTuple):
  """Sums over an episode; of extrinsic rewards.

  Attributes:
    returns: float32 [N].
    num_paid: int32 [N], in how many steps each agent's reward was above 0.
    paid_time: float32 [N], the sum of these steps, counted from 0.
    num_steps: T.
    events: as the environment gives them, see `environments`; int32 [N] or [].
  """

  returns: np.ndarray
  num_paid: np.ndarray
  paid_time: np.ndarray
  num_steps: int
  events: Mapping[str, np.ndarray]


def make_totals(
  rewards: np.ndarray, events: Mapping[str, np.ndarray]
) -> Totals:
  """Sums up an episode of which all rewards were kept.

  Args:
    rewards: float32 [T, N].
    events: of the episode.
  """
  is_paid = rewards > 0
  return Totals(
    returns=rewards.sum(axis=0),
    num_paid=is_paid.sum(axis=0, dtype=np.int32),
    paid_time=np.arange(len(rewards), dtype=np.float32) @ is_paid,
    num_steps=len(rewards),
    events=events,
  )


class Choices(NamedTuple):
  """What agents choose from, and chose in an episode.

  Attributes:
    num_actions: A.
    num_symbols: M; 0 if agents say nothing.
    actions: int32 [T, N].
    messages: int32 [T, N]; None if agents say nothing.
  """

  num_actions: int
  num_symbols: int
  actions: np.ndarray
  messages: np.ndarray | None


def make_choices(chosen: Any, num_actions: int, num_symbols: int) -> Choices:
  """Makes `Choices` of what an actor chose.

  Args:
    chosen: int32 [T, N], actions; or 'action' and 'message', such arrays.
    num_actions: A.
    num_symbols: M; 0 if agents say nothing.
  """
  if isinstance(chosen, Mapping):
    both = chosen['action'], chosen['message']
    return Choices(num_actions, num_symbols, *both)
  return Choices(num_actions, num_symbols, chosen, None)


def of_group(
  totals: Totals, agent_ids: Sequence[types.AgentId]
) -> dict[str, Any]:
  """Measures how a group fared.

  Args:
    totals: of the episode.
    agent_ids: N names.

  Returns:
    Name -> measure of `influence_acme.ops`, number of the world, or agent id ->
    count: 'collective_return', 'gini', 'equality', 'fair_return', 'efficiency',
    'sustainability', the events, and 'peace' where agents fine each other.
  """
  collective = float(totals.returns.sum())
  when = returns_lib.mean_paid_time(totals.num_paid, totals.paid_time)
  measured: dict[str, Any] = {
    'collective_return': collective,
    'efficiency': collective / totals.num_steps,
    'sustainability': float(when),
    **{name: float(fn(totals.returns)) for name, fn in _GROUP.items()},
  }
  for name, value in totals.events.items():
    if name == 'fined':
      in_peace = len(agent_ids) - float(value.sum()) / totals.num_steps
      measured['peace'] = in_peace
    elif np.ndim(value):
      measured[name] = dict(zip(agent_ids, value.tolist(), strict=True))
    else:
      measured[name] = int(value)
  return measured


def of_influence(influence: np.ndarray) -> dict[str, float]:
  """Measures how often agents influenced others more than on average.

  Args:
    influence: float32 [T, N], nats.

  Returns:
    'influential_share', of all agents' steps; NaN if nobody had any influence,
    as agents that measure none.
  """
  if not np.any(influence):
    return {'influential_share': math.nan}
  share = ops.influential_steps(influence).mean()
  return {'influential_share': float(share)}


def of_scrambled(
  choices: Choices, influence: np.ndarray | None
) -> dict[str, float]:
  """Measures messages that were shuffled in time: what is left is chance.

  Args:
    choices: of the episode.
    influence: as for `of_choices`; steps are influential as they were.

  Returns:
    The measures of messages of `of_choices`, with '_scrambled' behind their
    names: means over 20 shuffles. Nothing of agents that say nothing.
  """
  if choices.messages is None:
    return {}
  shuffled = []
  for seed in range(_NUM_SHUFFLES):
    said = ops.scramble(choices.messages, jax.random.PRNGKey(seed))
    control = choices._replace(messages=np.asarray(said))
    shuffled.append(of_choices(control, influence))
  return {
    f'{name}_scrambled': float(np.mean([each[name] for each in shuffled]))
    for name in shuffled[0]
    if not name.startswith('action_')
  }


def of_choices(
  choices: Choices, influence: np.ndarray | None
) -> dict[str, float]:
  """Measures whether messages mean something, and whether agents coordinate.

  Args:
    choices: of the episode.
    influence: float32 [T, N], nats, each agent's on all others; None if it was
      not measured.

  Returns:
    'action_coordination': instantaneous coordination from action to action, the
    largest of all ordered pairs; of agents that speak 'message_coordination',
    that from message to action, and 'speaker_consistency'. The first two also
    from influential steps alone, as 'action_coordination_influential', and so
    on: NaN if nobody had any influence.
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
  """See `of_choices`; rows of -1 do not count."""
  sources = {'action_coordination': (actions, num_actions)}
  measured = {}
  if messages is not None:
    sources['message_coordination'] = (messages, num_symbols)
    measured['speaker_consistency'] = ops.speaker_consistency(
      messages, actions, num_symbols=num_symbols, num_actions=num_actions
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
