"""The tutorial, as it is committed and as a reader runs it."""

import json
import os
import pathlib
import re

import nbclient
import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[2]
TUTORIAL = ROOT / 'examples' / 'tutorial.ipynb'


def test_it_is_committed_without_outputs():
  cells = json.loads(TUTORIAL.read_text('utf-8'))['cells']
  assert 10 <= len(cells) <= 16
  for cell in cells:
    assert not cell.get('outputs') and cell.get('execution_count') is None


@pytest.mark.slow
def test_it_runs_and_finds_what_theory_says(tmp_path, monkeypatch):
  monkeypatch.setenv('TMPDIR', str(tmp_path))
  paths = [str(ROOT), *os.environ.get('PYTHONPATH', '').split(os.pathsep)]
  monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))
  notebook = nbformat.read(TUTORIAL, as_version=4)
  nbclient.NotebookClient(
    notebook, timeout=300, resources={'metadata': {'path': str(tmp_path)}}
  ).execute()
  outputs = [o for cell in notebook.cells for o in cell.get('outputs', ())]
  printed = ''.join(o.get('text', '') for o in outputs)
  assert '[0.293 0.   ] nats' in printed
  pattern = r'action \d: (\S+) and (\S+), theory (\S+) and 0'
  rows = re.findall(pattern, printed)
  assert len(rows) == 3
  for copier, other, theory in rows:
    assert float(copier) == pytest.approx(float(theory), rel=0.05)
    assert float(other) < 0.05
  assert 'exit code 0' in printed
  assert any('image/png' in o.get('data', {}) for o in outputs)
