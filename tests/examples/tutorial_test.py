"""The tutorial, as it is committed and as a reader runs it."""

import json
import pathlib
import re
import runpy

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TUTORIAL = ROOT / 'examples' / 'tutorial.ipynb'
_NUMBER = re.compile(r'-?\d+\.?\d*')


def _outputs(cells):
  """Returns what each cell prints, and how many figures it shows."""
  found = []
  for cell in cells:
    outputs = cell.get('outputs', ())
    text = ''.join(''.join(x.get('text', '')) for x in outputs)
    found.append((text, sum('image/png' in x.get('data', {}) for x in outputs)))
  return found


def _assert_same(shown, found):
  """Compares texts; numbers may differ by a tenth, as training does."""
  assert _NUMBER.sub('#', shown) == _NUMBER.sub('#', found)
  numbers = [list(map(float, _NUMBER.findall(x))) for x in (shown, found)]
  assert numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=0.01)


def _committed():
  return json.loads(TUTORIAL.read_text('utf-8'))['cells']


def test_it_is_committed_with_outputs_and_without_traces_of_a_session():
  cells = _committed()
  assert 14 <= len(cells) <= 18
  assert TUTORIAL.stat().st_size < 200_000
  for cell in cells:
    assert cell.get('execution_count') is None
    assert not cell['metadata']
  assert sum(figures for _, figures in _outputs(cells)) == 2


def test_what_it_shows_is_what_theory_says():
  printed = ''.join(text for text, _ in _outputs(_committed()))
  assert '[0.293 0.   ] nats' in printed
  pattern = r'action \d: (\S+) and (\S+), theory (\S+) and 0'
  rows = re.findall(pattern, printed)
  assert len(rows) == 3
  for copier, other, theory in rows:
    assert float(copier) == pytest.approx(float(theory), rel=0.05)
    assert float(other) < 0.05
  assert 'opened in 97% of episodes' in printed
  assert 'exit code 0' in printed


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_it_prints_what_it_shows(tmp_path, monkeypatch):
  monkeypatch.setenv('TMPDIR', str(tmp_path))
  tool = runpy.run_path(str(ROOT / 'tools' / 'execute_tutorial.py'))
  executed = _outputs(tool['execute']()['cells'])
  for (shown, shown_figures), (found, found_figures) in zip(
    _outputs(_committed()), executed, strict=True
  ):
    _assert_same(shown, found)
    assert shown_figures == found_figures


def test_the_check_finds_other_numbers_and_words():
  _assert_same('mean 20.0 of 3', 'mean 20.9 of 3')
  for other in ('mean 23.0 of 3', 'sum 20.0 of 3', 'mean 20.0 of 3\n1'):
    with pytest.raises(AssertionError):
      _assert_same('mean 20.0 of 3', other)
