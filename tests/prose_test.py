"""The first lines of docstrings begin as sentences."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# The parts of the package, but agents/ and environments/, which are links.
PARTS = sorted(
  path.relative_to(ROOT).as_posix()
  for path in (ROOT / 'influence_acme').iterdir()
  if path.is_dir() and not path.is_symlink() and path.name != '__pycache__'
)
FOLDERS = [*PARTS, 'agents', 'environments', 'examples', 'benchmarks']
# Words that begin a clause or a fragment in place of a sentence.
_CLAUSE = re.compile(r'(What|Who|Whom|Whose|How|Whether|Where|When|That|Of)\b')


def _docstrings(source):
  """Yields (name, docstring) of a module, its classes and its functions."""
  kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, kinds) and (text := ast.get_docstring(node)):
      yield getattr(node, 'name', 'module'), text


def _failures(paths):
  """Returns (path, name) of the docstrings that do not begin as they should."""
  return [
    (path.relative_to(ROOT).as_posix(), name)
    for path in paths
    for name, text in _docstrings(path.read_text('utf-8'))
    if not text[0].isupper() or _CLAUSE.match(text)
  ]


@pytest.mark.parametrize('folder', FOLDERS)
def test_docstrings_begin_with_a_capital_and_no_clause(folder):
  assert _failures((ROOT / folder).rglob('*.py')) == []


def test_so_do_those_of_the_package_itself():
  assert _failures((ROOT / 'influence_acme').glob('*.py')) == []


@pytest.mark.parametrize('line', ['Of all agents.', "Whose it is, it's said."])
def test_the_check_finds_clauses(line):
  assert _CLAUSE.match(line)


def test_the_check_allows_words_that_begin_alike():
  assert not _CLAUSE.match('Offers rows.')
