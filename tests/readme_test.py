"""The README's code does what its comments say."""

import contextlib
import io
import pathlib
import re

README = pathlib.Path(__file__).parents[1] / 'README.md'


def test_the_python_block_prints_what_it_says():
  (code,) = re.findall(r'```python\n(.*?)```', README.read_text(), re.DOTALL)
  printed = io.StringIO()
  with contextlib.redirect_stdout(printed):
    exec(code, {})
  expected = re.findall(r'print\(.*\) +# (.*)', code)
  lines = printed.getvalue().splitlines()
  assert len(lines) == len(expected) == 2
  for line, comment in zip(lines, expected, strict=True):
    assert comment.startswith(line)


def test_links_to_files_are_not_broken():
  links = re.findall(r'\]\(([^)#]+)\)', README.read_text())
  broken = [
    link
    for link in links
    if '://' not in link and not (README.parent / link).exists()
  ]
  assert not broken
