"""Beams on a map of 11 x 11 cells with a wall around it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme.environments.grid import beams, moves

SHAPE = (11, 11)
CENTRE = (5, 5)


def trace(*agents):
  """Traces for agents, given as (position, heading)."""
  positions = jnp.array([position for position, _ in agents])
  headings = jnp.array([heading for _, heading in agents])
  occupants = moves.occupants(positions, SHAPE)
  return jax.jit(beams.trace)(positions, headings, occupants)


def cells(lanes, covered, agent=0):
  """Returns the covered cells of an agent as a set of (row, column)."""
  numbers = np.asarray(lanes.cells[agent])[np.asarray(covered[agent])]
  return {divmod(int(number), SHAPE[1]) for number in numbers}


def grid(*true_cells):
  mask = np.zeros(SHAPE, bool)
  for cell in true_cells:
    mask[cell] = True
  return jnp.asarray(mask)


def clean(lanes, waste, cleaning, ranks=None):
  ranks = np.arange(len(cleaning)) if ranks is None else np.array(ranks)
  return jax.jit(beams.clean)(lanes, jnp.array(cleaning), waste, ranks)


@pytest.mark.parametrize(
  ('heading', 'position', 'rows', 'columns', 'tip'),
  [
    (moves.UP, (6, 5), range(2, 7), (4, 6), [(r, 5) for r in range(1, 6)]),
    (moves.DOWN, (4, 5), range(4, 9), (4, 6), [(r, 5) for r in range(5, 10)]),
    (moves.RIGHT, (5, 4), (4, 6), range(4, 9), [(5, c) for c in range(5, 10)]),
    (moves.LEFT, (5, 6), (4, 6), range(2, 7), [(5, c) for c in range(1, 6)]),
  ],
)
def test_fifteen_cells(heading, position, rows, columns, tip):
  lanes = trace((position, heading))
  sides = {(row, column) for row in rows for column in columns}
  assert cells(lanes, lanes.open) == sides | set(tip)
  assert np.sum(lanes.open) == 15


def test_walls_end_lanes():
  lanes = trace(((2, 1), moves.UP))
  # The left lane runs in the wall; the others have one and two cells.
  assert cells(lanes, lanes.open) == {(1, 1), (2, 2), (1, 2)}
  assert not np.any(lanes.open[0, 0])


def test_lanes_end_with_the_first_agent():
  lanes = trace(
    (CENTRE, moves.UP),
    ((3, 5), moves.UP),  # In the middle lane, the second cell.
    ((5, 6), moves.UP),  # In the right lane, the first cell.
    ((4, 6), moves.UP),  # In the right lane, the second cell.
  )
  left = {(row, 4) for row in range(1, 6)}
  assert cells(lanes, lanes.open) == left | {(4, 5), (3, 5), (5, 6)}


def test_fire_hits_the_first_agent_of_every_lane():
  lanes = trace(
    (CENTRE, moves.UP),
    ((1, 4), moves.UP),
    ((3, 5), moves.UP),
    ((2, 5), moves.UP),
    ((5, 6), moves.UP),
    ((6, 5), moves.UP),
  )
  hits, covered = beams.fire(lanes, jnp.array([True] + [False] * 5))
  np.testing.assert_array_equal(hits, [0, 1, 1, 0, 1, 0])
  assert cells(lanes, covered) == cells(lanes, lanes.open)
  assert not np.any(covered[1:])


def test_hits_add_up():
  agents = (((5, 3), moves.RIGHT), ((5, 7), moves.LEFT), (CENTRE, moves.UP))
  hits, _ = beams.fire(trace(*agents), jnp.array([True, True, False]))
  np.testing.assert_array_equal(hits, [0, 0, 2])
  hits, _ = beams.fire(trace(*agents), jnp.array([True, False, False]))
  np.testing.assert_array_equal(hits, [0, 0, 1])
  hits, _ = beams.fire(trace(*agents), jnp.array([False, False, False]))
  np.testing.assert_array_equal(hits, [0, 0, 0])


def test_facing_agents_hit_each_other():
  lanes = trace(((5, 3), moves.RIGHT), ((5, 5), moves.LEFT))
  hits, _ = beams.fire(lanes, jnp.array([True, True]))
  np.testing.assert_array_equal(hits, [1, 1])


def test_every_lane_cleans_the_first_waste_and_ends():
  lanes = trace((CENTRE, moves.UP))
  waste = grid((5, 4), (4, 4), (3, 5), (1, 5), (1, 6), (5, 3))
  left, covered, cleaned = clean(lanes, waste, [True])
  np.testing.assert_array_equal(left, grid((4, 4), (1, 5), (5, 3)))
  assert cleaned.tolist() == [3]  # (5, 4), (3, 5) and (1, 6).
  right_lane = {(row, 6) for row in range(1, 6)}
  assert cells(lanes, covered) == {(5, 4), (4, 5), (3, 5)} | right_lane


def test_who_does_not_clean_cleans_nothing():
  left, covered, cleaned = clean(
    trace((CENTRE, moves.UP)), grid((4, 5)), [False]
  )
  np.testing.assert_array_equal(left, grid((4, 5)))
  assert not np.any(covered)
  assert cleaned.tolist() == [0]


def test_waste_under_an_agent_is_cleaned_and_waste_behind_it_not():
  lanes = trace((CENTRE, moves.UP), ((3, 5), moves.UP))
  waste = grid((3, 5), (2, 5))
  left, covered, _ = clean(lanes, waste, [True, False])
  np.testing.assert_array_equal(left, grid((2, 5)))
  assert (3, 5) in cells(lanes, covered)
  assert (2, 5) not in cells(lanes, covered)


def test_an_agent_shields_the_waste_behind_it():
  lanes = trace((CENTRE, moves.UP), ((3, 5), moves.UP))
  left, _, cleaned = clean(lanes, grid((2, 5)), [True, False])
  assert cleaned.tolist() == [0, 0]
  np.testing.assert_array_equal(left, grid((2, 5)))


def test_waste_under_the_cleaner_itself_stays():
  left, *_ = clean(trace((CENTRE, moves.UP)), grid(CENTRE), [True])
  np.testing.assert_array_equal(left, grid(CENTRE))


def test_the_second_beam_reaches_beyond_what_the_first_cleaned():
  # Column 5 is the right lane of agent 0 and the left lane of agent 1.
  lanes = trace(((5, 4), moves.UP), ((5, 6), moves.UP))
  waste = grid((3, 5), (2, 5), (1, 5))
  for first, second in ((0, 1), (1, 0)):
    left, covered, _ = clean(lanes, waste, [True, True], ranks=[first, second])
    np.testing.assert_array_equal(left, grid((1, 5)))
    assert (2, 5) not in cells(lanes, covered, agent=first)
    assert (2, 5) in cells(lanes, covered, agent=second)


def test_who_comes_first_matters():
  # Agent 0 can reach both cells, agent 1 the nearer one only.
  lanes = trace(((9, 5), moves.UP), ((7, 4), moves.RIGHT))
  waste = grid((7, 5), (5, 5))
  left, _, cleaned = clean(lanes, waste, [True, True], ranks=[0, 1])
  np.testing.assert_array_equal(left, grid((5, 5)))
  assert cleaned.tolist() == [1, 0]
  left, _, cleaned = clean(lanes, waste, [True, True], ranks=[1, 0])
  np.testing.assert_array_equal(left, grid())
  assert cleaned.tolist() == [1, 1]


def test_firing_beams_show_over_cleaning_beams():
  lanes = trace(((5, 3), moves.RIGHT), ((8, 5), moves.UP))
  fired = lanes.open & np.array([True, False])[:, None, None]
  cleaned = lanes.open & np.array([False, True])[:, None, None]
  marks = beams.marks(lanes, fired, cleaned, SHAPE)
  crossing = cells(lanes, fired, 0) & cells(lanes, cleaned, 1)
  assert crossing
  for cell in np.ndindex(SHAPE):
    if cell in cells(lanes, fired, 0):
      assert marks[cell] == beams.FIRING
    elif cell in cells(lanes, cleaned, 1):
      assert marks[cell] == beams.CLEANING
    else:
      assert marks[cell] == beams.NONE
