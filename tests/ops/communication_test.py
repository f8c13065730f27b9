"""Tests of speaker consistency and instantaneous coordination."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from influence_acme import ops

M, A, N = 3, 4, 2  # Symbols, actions, agents.
LOG2 = np.log(2)

_consistency = jax.jit(
  ops.speaker_consistency, static_argnames=('num_symbols', 'num_actions')
)
_coordination = jax.jit(
  ops.instantaneous_coordination, static_argnames=('num_sources', 'num_targets')
)


def _columns(*columns):
  """Rows [T, N] of what each agent does over time."""
  return np.array(columns).T


# --- Speaker consistency -----------------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
@pytest.mark.parametrize(
  ('messages', 'actions', 'expected'),
  [
    # Every symbol has its action, and every action its symbol.
    ([0, 1, 0, 1], [2, 3, 2, 3], 1),
    # After symbol 0 actions 0 and 1, (1/2, 1/2): 1 - log 2 / log 4 = 1/2; after
    # symbol 1 always action 2: 1. Mean 3/4. Each action tells its symbol: 1.
    # Symbols 2, 3 and action 3 are never used. (3/4 + 1) / 2.
    ([0, 0, 1, 1], [0, 1, 2, 2], 7 / 8),
    # The same with symbols and actions exchanged.
    ([0, 1, 2, 2], [0, 0, 1, 1], 7 / 8),
    # Any symbol with any action, all as often: nothing is told.
    ([0, 1, 2, 3] * 4, np.repeat([0, 1, 2, 3], 4), 0),
    # Used ones count alike, however rare. Symbol 0: actions (1/2, 1/2), 1/2;
    # symbol 1, once: 1; mean 3/4. Action 0: symbols (3/4, 1/4), entropy
    # log 4 - 3/4 log 3; action 1: symbol 0 alone.
    (
      [0] * 6 + [1],
      [0] * 3 + [1] * 3 + [0],
      (3 / 4 + (3 / 4 * np.log(3) / np.log(4) + 1) / 2) / 2,
    ),
    # Whoever says and does one thing is consistent.
    ([2, 2], [1, 1], 1),
    # One row.
    ([3], [0], 1),
    # Rows in which nothing was said, or nothing done, do not count.
    ([0, -1, 1, 0, -1], [2, 3, 3, -1, -1], 1),
    # Nobody says and does anything in one row.
    ([-1, 0], [0, -1], 0),
    # 4 is no symbol of 4, -2 nothing at all.
    ([0, 4], [0, 1], np.nan),
    ([0, 1], [0, -2], np.nan),
  ],
)
def test_speaker_consistency_by_hand(messages, actions, expected, jit):
  consistency = _consistency if jit else ops.speaker_consistency
  score = consistency(
    _columns(messages), _columns(actions), num_symbols=4, num_actions=4
  )
  np.testing.assert_allclose(score, expected, atol=1e-6)
  assert score.dtype == jnp.float32


def test_speaker_consistency_is_the_mean_over_who_speaks():
  # Scores 1 and 7/8, and somebody silent, who is left out.
  messages = _columns([0, 1, 0, 1], [0, 0, 1, 1], [-1, -1, -1, -1])
  actions = _columns([2, 3, 2, 3], [0, 1, 2, 2], [0, 1, 2, 3])
  score = _consistency(messages, actions, num_symbols=4, num_actions=4)
  np.testing.assert_allclose(score, 15 / 16, rtol=1e-6)


def test_entropies_are_relative_to_what_could_be_said_and_done():
  # Two symbols, three actions. Symbol 0: actions 0 and 1; symbol 1: action 2.
  messages, actions = _columns([0, 0, 1, 1]), _columns([0, 1, 2, 2])
  score = _consistency(messages, actions, num_symbols=2, num_actions=3)
  of_symbols = (1 - LOG2 / np.log(3) + 1) / 2
  np.testing.assert_allclose(score, (of_symbols + 1) / 2, rtol=1e-6)


# --- Instantaneous coordination ----------------------------------------------


@pytest.mark.parametrize('jit', (False, True))
def test_instantaneous_coordination_by_hand(jit):
  # Agent 1 does at t + 1 what agent 0 said at t: log 2. Agent 0 does the same
  # all the time: 0.
  coordination = _coordination if jit else ops.instantaneous_coordination
  sources = _columns([0, 1, 0, 1, 0], [0, 0, 1, 1, 1])
  targets = _columns([2, 2, 2, 2, 2], [3, 0, 1, 0, 1])
  output = coordination(sources, targets, num_sources=M, num_targets=A)
  np.testing.assert_allclose(output.pairs, [[0, LOG2], [0, 0]], atol=1e-6)
  np.testing.assert_allclose(output.max, LOG2, rtol=1e-6)
  assert output.max.dtype == output.pairs.dtype == jnp.float32


def test_partial_coordination_by_hand():
  # Said 0, 0, 1, 1, then done 0, 0, 0, 1: joint (1/2, 0; 1/4, 1/4), said
  # (1/2, 1/2), done (3/4, 1/4). The sum of p log (p : p_said p_done) is
  # 1/2 log 4/3 + 1/4 log 2/3 + 1/4 log 2.
  sources = _columns([0, 0, 1, 1, 2], [0, 0, 0, 0, 0])
  targets = _columns([0, 0, 0, 0, 0], [3, 0, 0, 0, 1])
  output = _coordination(sources, targets, num_sources=M, num_targets=A)
  expected = np.log(4 / 3) / 2 + np.log(2 / 3) / 4 + LOG2 / 4
  np.testing.assert_allclose(output.pairs, [[0, expected], [0, 0]], atol=1e-6)


@pytest.mark.parametrize('size', (2, 4, 9))
def test_who_copies_a_uniform_source_has_log_n(size):
  said = np.arange(3 * size + 1) % size
  sources = _columns(said, np.zeros_like(said))
  targets = _columns(np.zeros_like(said), np.roll(said, 1))
  output = _coordination(sources, targets, num_sources=size, num_targets=size)
  np.testing.assert_allclose(output.max, np.log(size), rtol=1e-6)


def test_sources_are_one_row_before_targets():
  said = np.random.default_rng(0).integers(M, size=5000)
  sources = _columns(said, np.zeros_like(said))
  for delay, expected in ((0, 0), (1, np.log(M)), (2, 0)):
    targets = _columns(np.zeros_like(said), np.roll(said, delay))
    output = _coordination(sources, targets, num_sources=M, num_targets=M)
    np.testing.assert_allclose(output.max, expected, atol=5e-3)


def test_the_mask_is_of_the_sources_step():
  # Agent 1 repeats what agent 0 said in rows 0 and 1 and in no others; agent 0
  # what agent 1 said in rows 2 and 3.
  sources = _columns([0, 1, 0, 1, 0], [0, 1, 0, 1, 0])
  targets = _columns([0, 0, 0, 0, 1], [3, 0, 1, 2, 2])
  mask = _columns([1, 1, 0, 0], [0, 0, 1, 1]).astype(bool)
  output = _coordination(
    sources, targets, num_sources=M, num_targets=A, mask=mask
  )
  np.testing.assert_allclose(output.pairs, [[0, LOG2], [LOG2, 0]], atol=1e-6)
  # Both at rows 1 and 2: said 1, 0, then done 1, 2 by agent 1, 0, 0 by agent 0.
  output = _coordination(
    sources,
    targets,
    num_sources=M,
    num_targets=A,
    mask=_columns([0, 1, 1, 0], [0, 1, 1, 0]).astype(bool),
  )
  np.testing.assert_allclose(output.pairs, [[0, LOG2], [0, 0]], atol=1e-6)


def test_silence_does_not_count():
  # As above, with silence in the place of the mask.
  sources = _columns([0, 1, -1, -1, -1], [-1, -1, -1, -1, -1])
  targets = _columns([0, 0, 1, 0, 1], [3, 0, 1, 2, 2])
  output = _coordination(sources, targets, num_sources=M, num_targets=A)
  np.testing.assert_allclose(output.pairs, [[0, LOG2], [0, 0]], atol=1e-6)
  # Nobody answers: idle rows are no answer that could be coordinated with.
  targets[2:, 1] = -1
  output = _coordination(sources, targets, num_sources=M, num_targets=A)
  np.testing.assert_array_equal(output.pairs, 0)


def test_nothing_counts():
  rows = np.random.default_rng(0).integers(M, size=(6, N))
  call = functools.partial(_coordination, num_sources=M, num_targets=M)
  for output in (
    call(rows[:1], rows[:1]),
    call(rows[:1], rows[:1], mask=np.ones((0, N), bool)),
    call(rows, rows, mask=np.zeros((5, N), bool)),
    call(np.full_like(rows, -1), rows),
    call(rows[:, :1], rows[:, :1]),  # Alone.
  ):
    np.testing.assert_array_equal(output.pairs, 0)
    assert output.max == 0


def test_wrong_numbers_show_where_they_are():
  rows = np.zeros((5, 3), int)
  wrong = rows.copy()
  wrong[2, 1] = M
  as_source = _coordination(wrong, rows, num_sources=M, num_targets=M)
  as_target = _coordination(rows, wrong, num_sources=M, num_targets=M)
  expected = np.zeros((3, 3))
  expected[1, [0, 2]] = np.nan
  np.testing.assert_array_equal(as_source.pairs, expected)
  np.testing.assert_array_equal(as_target.pairs, expected.T)
  assert np.isnan(as_source.max)


def test_wrong_arguments_are_refused():
  rows = np.zeros((5, N), int)
  with pytest.raises(ValueError, match='num_symbols is 1: .* of at least 2'):
    ops.speaker_consistency(rows, rows, num_symbols=1, num_actions=2)
  with pytest.raises(ValueError, match='num_targets is 0: .* of at least 1'):
    ops.instantaneous_coordination(rows, rows, num_sources=1, num_targets=0)
  coordination = functools.partial(
    ops.instantaneous_coordination, num_sources=M, num_targets=A
  )
  with pytest.raises(AssertionError, match=r'mask must be \[T-1, N\]'):
    coordination(rows, rows, mask=np.ones((5, N), bool))
  with pytest.raises(AssertionError, match='targets must be'):
    coordination(rows, rows[1:])
  with pytest.raises(AssertionError, match='sources must be'):
    coordination(rows[None], rows[None])
  with pytest.raises(AssertionError):
    coordination(rows * 1.0, rows)


# --- The control -------------------------------------------------------------


def test_scrambling_keeps_what_was_said_and_shuffles_when():
  said = np.array([[0, 5], [1, 5], [2, 6], [3, -1]])
  scrambled = [
    np.asarray(ops.scramble(said, jax.random.PRNGKey(seed)))
    for seed in range(30)
  ]
  for one in scrambled:
    np.testing.assert_array_equal(np.sort(one, 0), np.sort(said, 0))
  # Each agent by itself: 24 and 12 orders, which are drawn independently.
  orders = {one[:, 0].tobytes() for one in scrambled}
  assert len(orders) > 10
  assert len({one.tobytes() for one in scrambled}) > len(orders)


def test_scrambled_consistency_by_hand():
  # Said and done 0 0 1 1. Of the six orders of two 0 and two 1, the same and
  # the opposite one are consistent (1), and in four others either action goes
  # with either symbol (0): 1/3 in the mean.
  said = done = np.array([[0], [0], [1], [1]])
  keys = jax.random.split(jax.random.PRNGKey(0), 600)
  scores = jax.vmap(
    lambda key: ops.speaker_consistency(
      ops.scramble(said, key), done, num_symbols=2, num_actions=2
    )
  )(keys)
  assert set(np.unique(scores)) == {0, 1}
  # Four standard errors of a share of 1/3 among 600.
  np.testing.assert_allclose(
    scores.mean(), 1 / 3, atol=4 * (2 / 9 / 600) ** 0.5
  )


@pytest.mark.parametrize('jit', (False, True))
def test_scrambling_some_steps_among_each_other(jit):
  scramble = jax.jit(ops.scramble) if jit else ops.scramble
  said = np.arange(12).reshape(6, 2)
  mask = np.array([(0, 1), (1, 1), (1, 1), (0, 1), (1, 1), (0, 1)], bool)
  for seed in range(5):
    one = np.asarray(scramble(said, jax.random.PRNGKey(seed), mask=mask))
    assert set(one[[1, 2, 4], 0]) == {2, 4, 8}
    assert set(one[[0, 3, 5], 0]) == {0, 6, 10}
    assert set(one[:, 1]) == {1, 3, 5, 7, 9, 11}
