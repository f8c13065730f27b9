"""Samples as Acme's adders write them, by someone who knows what is in them.

Rows are made from whole episodes, so that what each row holds is known, and is
not found out from zeros and flags, as a learner must.

Letters: T rows, N agents, H x W x C a view, A actions.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

STEP, LAST, PADDING = 'step', 'last', 'padding'


class Episode(NamedTuple):
  """What happened in an episode of L steps.

  Attributes:
    world: uint8 [L + 1, H, W, C].
    actions: int32 [L, N].
    visible: bool [L + 1, N].
    reward: float32 [L].
    logits: float32 [L, A], of the agent's policy.
    ends: whether it ends for good; else a time limit ends it.
  """

  world: np.ndarray
  actions: np.ndarray
  visible: np.ndarray
  reward: np.ndarray
  logits: np.ndarray
  ends: bool


class Step(NamedTuple):
  """Acme's row, or rows [T, ...]; see `acme.adders.reverb.base.Step`."""

  observation: Any
  action: Any
  reward: Any
  discount: Any
  start_of_episode: Any
  extras: Any


class Masks(NamedTuple):
  """What rows are good for, bool [T] each; see `Rows` of agents.intrinsic."""

  is_step: np.ndarray
  influences: np.ndarray
  predicts: np.ndarray


def random_episode(
  random: np.random.Generator,
  num_steps: int,
  ends: bool,
  *,
  num_agents: int = 3,
  num_actions: int = 3,
  own_index: int = 0,
  view_shape: tuple[int, ...] = (5, 5, 3),
) -> Episode:
  """Makes up an episode; the agent does not see itself."""
  length = num_steps + 1
  visible = random.random((length, num_agents)) < 0.7
  visible[:, own_index] = False
  world: np.ndarray = random.integers(1, 256, (length, *view_shape), np.uint8)
  if len(view_shape) == 1:
    # Small: large ones saturate the LSTM, and its actions count for nothing.
    world = world.astype(np.float32) / 2_550
  return Episode(
    world=world,
    actions=random.integers(0, num_actions, (num_steps, num_agents), np.int32),
    visible=visible,
    reward=random.random(num_steps, np.float32) + np.float32(1),
    logits=random.normal(size=(num_steps, num_actions)).astype(np.float32),
    ends=ends,
  )


def rows_of(episode: Episode, own_index: int) -> list[tuple[str, Step]]:
  """Returns an episode's L + 1 rows, and what each holds."""
  num_steps, num_agents = episode.actions.shape
  found = []
  for t in range(num_steps + 1):
    before = episode.actions[t - 1] if t else np.full(num_agents, -1, np.int32)
    observation = {
      'world': episode.world[t],
      'actions': before,
      'visible': episode.visible[t],
    }
    if t == num_steps:
      zeros = np.zeros_like(episode.logits[0])
      action, reward, discount, logits = 0, 0.0, 0.0, zeros
    else:
      action = episode.actions[t][own_index]
      reward, logits = episode.reward[t], episode.logits[t]
      discount = 0.0 if episode.ends and t == num_steps - 1 else 1.0
    step = Step(
      observation,
      np.int32(action),
      np.float32(reward),
      np.float32(discount),
      np.bool_(t == 0),
      {'logits': logits},
    )
    found.append((LAST if t == num_steps else STEP, step))
  return found


def padding_like(step: Step) -> tuple[str, Step]:
  """Returns a row of zeros."""
  zeros = {name: np.zeros_like(x) for name, x in step.observation.items()}
  return PADDING, Step(
    zeros,
    np.int32(0),
    np.float32(0),
    np.float32(0),
    np.bool_(False),
    {'logits': np.zeros_like(step.extras['logits'])},
  )


def sequence(
  episodes: Sequence[Episode], own_index: int, first: int, length: int
) -> tuple[list[str], Step]:
  """Cuts a sequence out of episodes that stand end to end.

  Args:
    episodes: of which the last may be too short: then zeros pad the sequence.
    own_index: whose rows they are.
    first: the first row.
    length: T.

  Returns:
    What each row holds, and the rows, arrays [T, ...].
  """
  rows = [row for e in episodes for row in rows_of(e, own_index)]
  rows = rows[first : first + length]
  while len(rows) < length:
    rows.append(padding_like(rows[0][1]))
  return [kind for kind, _ in rows], stack([step for _, step in rows])


def stack(parts: Sequence[Any]) -> Any:
  """Stacks equal nests along a new first axis."""
  first = parts[0]
  if isinstance(first, dict):
    return {name: stack([part[name] for part in parts]) for name in first}
  if isinstance(first, tuple):
    return type(first)(*(stack(x) for x in zip(*parts, strict=True)))
  return np.stack(parts)


def masks(kinds: Sequence[str], burn_in_length: int) -> Masks:
  """Says what rows are good for, from what they hold.

  Args:
    kinds: what each of T rows holds.
    burn_in_length: rows that only warm up.
  """
  found: list[tuple[bool, bool, bool]] = []
  for t, kind in enumerate(kinds):
    # What was done in the last row, and by whom, is not in the sequence.
    is_step = kind == STEP and burn_in_length <= t < len(kinds) - 1
    influences = is_step and kinds[t + 1] == STEP
    predicts = influences and t + 1 < len(kinds) - 1
    found.append((is_step, influences, predicts))
  return Masks(*np.array(found, bool).T)
