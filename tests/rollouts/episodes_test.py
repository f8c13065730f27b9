"""Episodes put together of unrolls, by hand."""

import jax
import numpy as np
import pytest

from influence_acme.rollouts import episodes, records

# Rows of two environments; '|' ends an episode, '-' is the padding after it.
# Environment 0: episodes of 3 steps; environment 1: of 5 and 1 steps.
NUM_ROWS, LENGTHS = 16, ((3, 3, 3, 3), (5, 1, 5, 1))


def rows():
  """Influence is 1, 2, ... by row; choices likewise, negative."""
  ended = np.zeros((NUM_ROWS, 2), bool)
  is_step = np.ones((NUM_ROWS, 2), bool)
  num_steps = np.zeros((NUM_ROWS, 2), np.int32)
  for b, lengths in enumerate(LENGTHS):
    t = 0
    for length in lengths:
      if t + length < NUM_ROWS:
        num_steps[t : t + length, b] = np.arange(1, length + 1)
        ended[t + length - 1, b] = True
        is_step[t + length, b] = False
      t += length + 1
  numbers = np.arange(1, NUM_ROWS + 1, dtype=np.float32)
  influence = np.broadcast_to(numbers[:, None, None], (NUM_ROWS, 3, 2)).copy()
  influence[..., 1] *= 10
  totals = records.Totals(
    returns=influence, num_paid=influence, paid_time=influence,
    num_steps=num_steps,
  )  # fmt: skip
  return records.Episodes(
    is_step=is_step,
    ended=ended,
    totals=totals,
    events={'apples': influence.astype(np.int32), 'waste': num_steps},
    influence=influence,
    last_step_influence=np.zeros_like(influence),
    choices={'action': -influence[..., 0], 'message': -influence[..., 0]},
    is_finite={},
  )


def part(start, stop):
  def cut(tree):
    if isinstance(tree, dict):
      return {name: x[start:stop] for name, x in tree.items()}
    return tree[start:stop]

  all_rows = rows()
  totals = records.Totals(*map(cut, all_rows.totals))
  parts = {k: cut(v) for k, v in all_rows._asdict().items() if k != 'totals'}
  return records.Episodes(totals=totals, **parts)


def collect(episode_buffer, cuts):
  found = []
  for start, stop in zip(cuts, cuts[1:], strict=False):
    found += episode_buffer.add(part(start, stop))
  return found


def by_rows(found):
  return [episode.influence[:, 0].tolist() for episode in found]


# In time, then by environment.
AT_ONCE = [
  [1, 2, 3],
  [10, 20, 30, 40, 50],
  [5, 6, 7],
  [70],
  [9, 10, 11],
  [90, 100, 110, 120, 130],
  [13, 14, 15],
  [150],
]
LATE = [
  [2, 3, 0],
  [20, 30, 40, 50, 0],
  [6, 7, 0],
  [0],
  [10, 11, 0],
  [100, 110, 120, 130, 0],
  [14, 15, 0],
  [0],
]
CUTS = [[0, 16], [0, 1, 7, 13, 16], [0, 3, 6, 9, 12, 15, 16], range(17)]


@pytest.mark.parametrize('cuts', CUTS)
@pytest.mark.parametrize(('delay', 'expected'), [(0, AT_ONCE), (1, LATE)])
def test_influence_of_episodes(cuts, delay, expected):
  found = collect(episodes.EpisodeBuffer(2, delay), list(cuts))
  assert sorted(by_rows(found)) == sorted(expected)
  lengths = [episode.totals.num_steps for episode in found]
  assert lengths == [len(episode.influence) for episode in found]


@pytest.mark.parametrize('delay', [0, 1])
def test_choices_are_those_of_the_first_environment(delay):
  found = collect(episodes.EpisodeBuffer(2, delay), [0, 5, 11, 16])
  chosen = [e.choices for e in found if e.choices is not None]
  assert [c['action'][:, 2].tolist() for c in chosen] == [
    [-1, -2, -3], [-5, -6, -7], [-9, -10, -11], [-13, -14, -15],
  ]  # fmt: skip
  assert sum(e.choices is None for e in found) == 4


def test_sums_are_those_of_the_last_step():
  first, second, *_ = collect(episodes.EpisodeBuffer(2, 0), [0, 16])
  assert first.totals.returns.tolist() == [3, 3, 3]
  assert first.totals.events['waste'] == 3
  assert second.totals.events['apples'].tolist() == [50, 50, 50]
  assert second.totals.num_steps == 5


@pytest.mark.parametrize('cut', range(17))
def test_goes_on_as_it_was_saved(cut):
  whole = episodes.EpisodeBuffer(2, 1)
  before = collect(whole, [0, cut]) if cut else []
  saved = whole.save()
  resumed = episodes.EpisodeBuffer(2, 1)
  resumed.restore(saved)
  found = collect(resumed, [cut, 16]) if cut < 16 else []
  assert sorted(by_rows(before + found)) == sorted(LATE)
  # Saves do not depend on where it was resumed.
  if cut < 16:
    collect(whole, [cut, 16])
  jax.tree_util.tree_map(
    np.testing.assert_array_equal, whole.save(), resumed.save()
  )


def test_rows_are_dropped_once_their_episodes_have_ended():
  episode_buffer = episodes.EpisodeBuffer(2, 0)
  for t in range(16):
    episode_buffer.add(part(t, t + 1))
    # Episodes of at most five steps, and a padding row.
    kept = episode_buffer.save().get('influence', ())
    assert len(kept) <= 6
