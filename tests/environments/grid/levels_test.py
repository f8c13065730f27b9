import numpy as np
import pytest

from influence_acme.environments.grid import levels


def _runs(mask):
  """Returns {(row, first column, length)} of the runs of a mask."""
  runs = set()
  for row, line in enumerate(mask):
    for column in np.flatnonzero(line):
      if not line[column - 1]:
        length = np.argmin(line[column:])
        runs.add((row, int(column), int(length)))
  return runs


def test_cleanup_has_the_published_counts():
  level = levels.CLEANUP
  assert level.shape == (25, 18)
  assert level.starts.shape == (10, 2)
  counts = {'a': 103, 'w': 56, '~': 63, 's': 12, '+': 10, 'w~': 119}
  assert {kinds: level.mask(kinds).sum() for kinds in counts} == counts


def test_cleanup_has_the_published_cells():
  level = levels.CLEANUP
  assert _runs(level.mask(levels.WASTE)) == {
    *((row, 1, 4) for row in (15, 19, 23)),
    *((row, 1, 5) for row in (6, 11, 17, 21)),
    *((row, 1, 6) for row in (2, 8, 9, 13)),
  }
  assert _runs(level.mask(levels.WATER)) == {
    *((row, 1, 5) for row in (4, 5, 7, 10, 14, 16, 18, 20, 22)),
    *((row, 1, 6) for row in (1, 3, 12)),
  }
  assert _runs(level.mask(levels.STREAM)) == {(8, 7, 6), (9, 7, 6)}
  assert _runs(level.mask(levels.APPLE)) == {
    *((row, 12, 5) for row in (1, 3, 5, 7, 11, 13, 15, 17, 19, 21, 23)),
    *((row, 13, 4) for row in (2, 4, 6, 8, 9, 10, 12, 14, 16, 18, 20, 22)),
  }
  assert set(map(tuple, level.starts.tolist())) == {
    (4, 8), (5, 10), (10, 9), (10, 11), (11, 9),
    (12, 11), (13, 8), (15, 9), (17, 8), (17, 10),
  }  # fmt: skip


def test_harvest_has_the_published_counts():
  level = levels.HARVEST
  assert level.shape == (16, 38)
  counts = {'a': 155, '+': 20, '.': 14 * 36 - 175}
  assert {kinds: level.mask(kinds).sum() for kinds in counts} == counts


def test_harvest_has_the_published_cells():
  level = levels.HARVEST
  assert level.mask(levels.APPLE).sum(axis=1).tolist() == [
    *(0, 7, 8, 15, 14, 14, 17, 14, 12, 8, 14, 11, 13, 7, 1, 0)
  ]
  assert set(map(tuple, level.starts.tolist())) == {
    (1, 2), (1, 6), (1, 18), (1, 29), (1, 34), (2, 3), (2, 11), (2, 19),
    (5, 36), (9, 2), (9, 35), (10, 33), (11, 35), (12, 35), (13, 21),
    (14, 8), (14, 24), (14, 27), (14, 29), (14, 35),
  }  # fmt: skip


def test_box_trapped_s_parts_are_apart():
  level = levels.BOX_TRAPPED
  closed = level.mask(levels.WALL + levels.INNER_WALL)
  assert level.starts.tolist() == [[2, 4], [7, 4]]
  reached = np.zeros(level.shape, bool)
  reached[2, 4] = True
  for _ in range(81):
    reached[1:-1, 1:-1] |= (
      reached[:-2, 1:-1] | reached[2:, 1:-1]
      | reached[1:-1, :-2] | reached[1:-1, 2:]
    )  # fmt: skip
    reached &= ~closed
  assert reached.sum() == 14
  assert reached[1:3].sum() == 14


@pytest.mark.parametrize(
  ('text', 'match'),
  [
    ('###\n#.#\n####', '4 cells in row 2, .*3 in row 0.*the same length'),
    ('###\n#..\n###', "hole in its outer wall at row 1, column 2.*be '#'"),
    ('####\n#.##\n####', "'#' inside of .* row 1, column 2.*must be 'x'"),
  ],
)
def test_broken_levels_raise(text, match):
  with pytest.raises(ValueError, match=match):
    levels.Level(text)
