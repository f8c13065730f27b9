"""Who may enter which cell: each rule, and all of them against the oracle."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import moves_oracle
from scipy import stats

from influence_acme.environments.grid import moves

SHAPE = (9, 9)
A, B, C, D = (4, 4), (4, 5), (5, 5), (5, 4)  # A square of cells, clockwise.

_resolve = jax.jit(moves.resolve)


def resolve(*agents, ranks=None):
  """Returns where agents, given as (position, target), end up."""
  positions, targets = np.array(agents, np.int32).swapaxes(0, 1)
  ranks = np.arange(len(agents)) if ranks is None else np.array(ranks)
  return [tuple(x) for x in _resolve(positions, targets, ranks).tolist()]


def target(heading, action, position=(4, 4)):
  targets = moves.targets(
    jnp.array([position]), jnp.array([heading]), jnp.array([action]), SHAPE
  )
  return tuple(targets[0].tolist())


@pytest.mark.parametrize(
  ('heading', 'left', 'right', 'forward', 'back'),
  [
    (moves.UP, (4, 3), (4, 5), (3, 4), (5, 4)),
    (moves.RIGHT, (3, 4), (5, 4), (4, 5), (4, 3)),
    (moves.DOWN, (4, 5), (4, 3), (5, 4), (3, 4)),
    (moves.LEFT, (5, 4), (3, 4), (4, 3), (4, 5)),
  ],
)
def test_steps_are_relative_to_the_heading(heading, left, right, forward, back):
  assert target(heading, moves.Action.STEP_LEFT) == left
  assert target(heading, moves.Action.STEP_RIGHT) == right
  assert target(heading, moves.Action.STEP_FORWARD) == forward
  assert target(heading, moves.Action.STEP_BACK) == back


def test_actions_have_the_published_numbers():
  assert [action.value for action in moves.Action] == list(range(9))
  assert [action.name for action in moves.Action] == [
    'STEP_LEFT',
    'STEP_RIGHT',
    'STEP_FORWARD',
    'STEP_BACK',
    'STAY',
    'TURN_CLOCKWISE',
    'TURN_COUNTERCLOCKWISE',
    'FIRE',
    'CLEAN',
  ]


@pytest.mark.parametrize('action', range(moves.Action.STAY, 9))
@pytest.mark.parametrize('heading', range(4))
def test_other_actions_move_nobody(action, heading):
  assert target(heading, action) == (4, 4)


@pytest.mark.parametrize(
  ('heading', 'position'),
  [
    (moves.UP, (1, 4)),
    (moves.RIGHT, (4, 7)),
    (moves.DOWN, (7, 4)),
    (moves.LEFT, (4, 1)),
  ],
)
def test_a_step_into_a_wall_is_a_stay(heading, position):
  assert target(heading, moves.Action.STEP_FORWARD, position) == position


def test_turns():
  headings = jnp.arange(4)
  clockwise = moves.turn(headings, jnp.full(4, moves.Action.TURN_CLOCKWISE))
  np.testing.assert_array_equal(clockwise, [1, 2, 3, 0])
  counter = moves.turn(
    headings, jnp.full(4, moves.Action.TURN_COUNTERCLOCKWISE)
  )
  np.testing.assert_array_equal(counter, [3, 0, 1, 2])


@pytest.mark.parametrize('action', [0, 1, 2, 3, 4, 7, 8])
def test_nothing_else_turns(action):
  headings = jnp.arange(4)
  np.testing.assert_array_equal(
    moves.turn(headings, jnp.full(4, action)), headings
  )


def test_one_agent_alone():
  assert resolve((A, B)) == [B]
  assert resolve((A, A)) == [A]


def test_of_two_rivals_one_enters():
  assert resolve((A, B), (C, B), ranks=[0, 1]) == [B, C]
  assert resolve((A, B), (C, B), ranks=[1, 0]) == [A, B]


@pytest.mark.parametrize('num_rivals', [2, 3, 4])
def test_every_rival_is_as_likely_to_enter(num_rivals):
  rng = np.random.default_rng(num_rivals)
  around = [(3, 4), (4, 3), (5, 4), (4, 5)][:num_rivals]
  positions = np.array(around, np.int32)
  targets = np.full_like(positions, 4)
  ranks = np.stack([rng.permutation(num_rivals) for _ in range(2000)])
  ends = jax.vmap(functools.partial(moves.resolve, positions, targets))(ranks)
  entered = np.all(np.asarray(ends) == 4, axis=-1)
  assert (entered.sum(axis=1) == 1).all()
  assert stats.chisquare(entered.sum(axis=0)).pvalue > 1e-3


def test_who_stays_keeps_its_cell():
  assert resolve((A, B), (B, B)) == [A, B]


@pytest.mark.parametrize('ranks', [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_two_rivals_for_the_cell_of_one_who_stays(ranks):
  assert resolve((A, B), (B, B), (C, B), ranks=ranks) == [A, B, C]


def test_swaps_are_cancelled_for_both():
  assert resolve((A, B), (B, A)) == [A, B]


@pytest.mark.parametrize('ranks', [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_a_swap_keeps_out_a_third(ranks):
  assert resolve((A, B), (B, A), (C, B), ranks=ranks) == [A, B, C]


def test_trains_move():
  assert resolve((A, B), (B, C), (C, D)) == [B, C, D]
  assert resolve((C, D), (B, C), (A, B)) == [D, C, B]


def test_trains_stop_behind_one_who_stays():
  assert resolve((A, B), (B, C), (C, C)) == [A, B, C]


def test_the_longest_train_stops():
  line = [(1, column) for column in range(1, 12)]
  train = list(zip(line[:10], line[1:], strict=True))
  assert resolve(*train) == line[1:]
  train[-1] = (line[9], line[9])
  assert resolve(*train) == line[:10]


def test_rings_of_four_move():
  assert resolve((A, B), (B, C), (C, D), (D, A)) == [B, C, D, A]


def test_a_ring_stands_if_an_outsider_wins_a_cell_of_it():
  ring, outsider = [(A, B), (B, C), (C, D), (D, A)], ((3, 5), B)
  # The outsider cannot enter either: who stood there could not go on.
  stand = [A, B, C, D, (3, 5)]
  assert resolve(*ring, outsider, ranks=[1, 2, 3, 4, 0]) == stand
  assert resolve(*ring, outsider, ranks=[0, 1, 2, 3, 4]) == [
    *(B, C, D, A),
    (3, 5),
  ]


def test_a_winner_follows_the_one_who_leaves():
  leaver = (B, (3, 5))
  assert resolve((A, B), leaver, (C, B), ranks=[2, 0, 1]) == [A, (3, 5), B]


def test_nobody_shares_a_cell_with_one_who_cannot_leave():
  """In the published game the winner and the one who cannot leave do."""
  blocked, turner = (B, (3, 5)), ((3, 5), (3, 5))
  assert resolve((A, B), blocked, (C, B), turner) == [A, B, C, (3, 5)]


@pytest.mark.parametrize('num_agents', [1, 2, 5, 10])
def test_agrees_with_the_oracle(num_agents):
  """Everything at once, in places where agents can hardly avoid each other."""

  @settings(max_examples=200, deadline=None, derandomize=True)
  @given(st.data())
  def check(data):
    side = data.draw(st.integers(4, 6))
    cells = st.permutations(range(side**2))
    positions = [(c // side, c % side) for c in data.draw(cells)[:num_agents]]
    steps = st.sampled_from([(-1, 0), (0, 1), (1, 0), (0, -1), (0, 0), None])
    chosen = data.draw(
      st.lists(steps, min_size=num_agents, max_size=num_agents)
    )
    wants = [
      None if step is None else (row + step[0], column + step[1])
      for (row, column), step in zip(positions, chosen, strict=True)
    ]
    ranks = data.draw(st.permutations(range(num_agents)))
    targets = [
      position if want is None else want
      for position, want in zip(positions, wants, strict=True)
    ]
    ends = resolve(*zip(positions, targets, strict=True), ranks=ranks)
    assert ends == moves_oracle.resolve_moves(positions, wants, ranks)
    assert len(set(ends)) == num_agents

  check()


def test_inner_walls_keep_agents_out():
  blocked = np.zeros((3, 4), bool)
  blocked[1, 2] = True
  positions = jnp.array([[1, 1], [1, 3], [0, 2]])
  targets = jnp.array([[1, 2], [0, 3], [0, 2]])
  kept = jax.jit(moves.keep_out)(positions, targets, blocked)
  np.testing.assert_array_equal(kept, [[1, 1], [0, 3], [0, 2]])


def test_occupants():
  occupants = moves.occupants(jnp.array([[1, 2], [0, 1]]), (2, 3))
  np.testing.assert_array_equal(occupants, [[0, 2, 0], [0, 0, 1]])
