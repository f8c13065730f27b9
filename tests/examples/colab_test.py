"""The notebook for Colab, on today's Python, with few steps."""

import json
import pathlib
import sys
from unittest import mock

import pytest

NOTEBOOK = pathlib.Path(__file__).parents[2] / 'examples' / 'colab.ipynb'


def _cells():
  """Returns the code cells that Python can run, and those that install."""
  cells = json.loads(NOTEBOOK.read_text('utf-8'))['cells']
  code = [x for x in cells if x['cell_type'] == 'code']
  assert not any(x['outputs'] or x['execution_count'] for x in code)
  sources = [''.join(x['source']) for x in code]
  installs = [x for x in sources if '%pip' in x]
  return [x for x in sources if x not in installs], installs


def test_it_installs_the_package_first():
  """The cell is not run: tests/readme_commands_test.py installs it by pip."""
  _, installs = _cells()
  assert [x.splitlines()[-1] for x in installs] == [
    '%pip install --quiet $REPOSITORY'
  ]


@pytest.mark.slow
def test_it_trains_evaluates_and_shows_a_film(tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  ipython = mock.MagicMock()  # It is not there outside notebooks.
  monkeypatch.setitem(sys.modules, 'IPython', ipython)
  monkeypatch.setitem(sys.modules, 'IPython.display', ipython.display)
  shorter = {
    'num_steps=1_000_000': 'num_steps=100',
    "'cleanup_small', 'moa')": "'cleanup_small', 'moa', hidden_size=8)",
    'num_episodes=20': 'num_episodes=2',
  }
  cells, _ = _cells()
  code = '\n'.join(cells)
  for old, new in shorter.items():
    assert code.count(old) == 1
    code = code.replace(old, new)
  exec(code, {})
  printed = capsys.readouterr().out
  assert 'exit code 0' in printed
  assert 'agent_2' in printed
  (film,) = ipython.display.Image.call_args.args
  assert film.stat().st_size > 1000
