"""Makes pages of the site from the repository's own files.

MkDocs calls the functions that begin with `on_`. Its own pages are those under
docs/. Added are the folders' README files, a page of reference for each module
in docs/api.md, the tutorial, and whatever a page links to: pictures as they
are, source files as pages that show their code. Links are written as they work
in the repository, and changed here to lead to the page.
"""

import functools
import json
import os
import pathlib
import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

Path = pathlib.PurePosixPath  # Relative to the repository.

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Where README files are pages; and other pages, at the top.
FOLDERS = ('agents', 'benchmarks', 'environments', 'results')
TOP = ('README.md', 'CHANGELOG.md', 'CONTRIBUTING.md')
TUTORIAL = Path('examples/tutorial.ipynb')

_PICTURES = ('.png', '.svg')
_LANGUAGES = {'.py': 'python', '.sh': 'sh', '.json': 'json'}
# The target of a link or of a picture, without its anchor.
_LINK = re.compile(r'(\]\()([^)#\s]+)')
# What docs/api.md has: a heading for each module, a row for each name.
_MODULE = re.compile(r'^## influence_acme\.(\S+)$', re.MULTILINE)
_NAME = re.compile(r'^\| `(\w+)`', re.MULTILINE)

# The top of a page of reference; the names follow.
_REFERENCE = """# influence_acme.{module}

::: influence_acme.{module}
    options:
      members: false
      show_root_heading: false
      show_root_toc_entry: false
"""


@functools.cache
def public_names() -> dict[str, list[str]]:
  """Returns the names in docs/api.md, by module without `influence_acme.`."""
  _, *parts = _MODULE.split((ROOT / 'docs' / 'api.md').read_text('utf-8'))
  pairs = zip(parts[::2], parts[1::2], strict=True)
  return {module: _NAME.findall(rows) for module, rows in pairs}


def path_of(module: str, name: str) -> str:
  """Returns the dotted path by which a public name is documented."""
  file = ROOT / 'influence_acme' / module.replace('.', '/') / f'{name}.py'
  path = f'influence_acme.{module}.{name}'
  # A module hides the function that has its name.
  is_hidden = file.exists() and f'def {name}(' in file.read_text('utf-8')
  return f'{path}.{name}' if is_hidden else path


def uri_of(path: Path) -> str:
  """Returns where the site's sources have a file of the repository."""
  module = path.with_suffix('').as_posix().removesuffix('/__init__')
  module = module.removeprefix('influence_acme/').replace('/', '.')
  if path.suffix == '.py' and module in public_names():
    return f'reference/{module}.md'
  if path.suffix == '.ipynb':
    return path.with_suffix('.md').as_posix()
  if path.suffix != '.md' and path.suffix not in _PICTURES:
    return f'source/{path}.md'
  if path == Path('README.md'):
    return 'index.md'
  return path.as_posix().removeprefix('docs/')


def target_of(page: Path, link: str) -> Path | None:
  """Returns the file that a link of a page means.

  Args:
    page: the file with the link.
    link: its target, without an anchor.

  Returns:
    A file: of a folder its README, or else its `__init__.py`. None if there is
    none.
  """
  path = Path(os.path.normpath(page.parent / link))
  if (ROOT / path).is_dir():
    has_readme = (ROOT / path / 'README.md').exists()
    path /= 'README.md' if has_readme else '__init__.py'
  return path if (ROOT / path).is_file() else None


def _add(path: Path, files: Files, config: MkDocsConfig) -> None:
  """Adds a file of the repository, unless the site has it."""
  uri = uri_of(path)
  if path.suffix == '.ipynb':
    content = _rewrite_links(_notebook(path), path)
    file = File.generated(config, uri, content=content)
  elif uri.startswith('source/'):
    code = (ROOT / path).read_text('utf-8')
    language = _LANGUAGES.get(path.suffix, 'text')
    content = f'# {path}\n\n`````{language}\n{code}\n`````\n'
    file = File.generated(config, uri, content=content)
  else:
    file = File.generated(config, uri, abs_src_path=str(ROOT / path))
  if files.get_file_from_path(uri) is None:
    files.append(file)


def _notebook(path: Path) -> str:
  """Returns a notebook's text, code and outputs as Markdown."""
  cells = json.loads((ROOT / path).read_text('utf-8'))['cells']
  parts = []
  for cell in cells:
    text = ''.join(cell['source'])
    is_code = cell['cell_type'] == 'code'
    parts.append(f'```python\n{text}\n```' if is_code else text)
    parts += [_output(output) for output in cell.get('outputs', ())]
  return '\n\n'.join(parts)


def _output(output: dict[str, Any]) -> str:
  """Returns what a cell printed, or its figure, as Markdown."""
  if 'text' in output:
    return f'```text\n{"".join(output["text"])}```'
  png = ''.join(output['data']['image/png']).replace('\n', '')
  return f'<img alt="Its figure" src="data:image/png;base64,{png}">'


def _rewrite_links(markdown: str, source: Path) -> str:
  """Lets the links of a file lead to pages of the site."""

  def rewrite(match: re.Match[str]) -> str:
    if path := target_of(source, match[2]):
      here = os.path.dirname(uri_of(source))
      return match[1] + os.path.relpath(uri_of(path), here)
    return match[0]

  return _LINK.sub(rewrite, markdown)


def on_files(files: Files, config: MkDocsConfig) -> Files:
  """Adds the reference, README files, and what the pages link to."""
  for module, names in public_names().items():
    content = _REFERENCE.format(module=module)
    content += ''.join(f'\n::: {path_of(module, name)}\n' for name in names)
    uri = f'reference/{module}.md'
    files.append(File.generated(config, uri, content=content))
  pages = [ROOT / name for name in (*TOP, TUTORIAL)]
  for folder in FOLDERS:
    pages += sorted((ROOT / folder).rglob('README.md'))
  for file in pages:
    _add(Path(file.relative_to(ROOT)), files, config)
  for file in [*pages, *sorted((ROOT / 'docs').rglob('*.md'))]:
    page = Path(file.relative_to(ROOT))
    for _, link in _LINK.findall(file.read_text('utf-8')):
      if path := target_of(page, link):
        _add(path, files, config)
  return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
  """Lets the links of a page lead to pages of the site."""
  if page.file.abs_src_path is None:  # It is no file of the repository.
    return markdown
  source = pathlib.Path(page.file.abs_src_path).relative_to(ROOT)
  markdown = _rewrite_links(markdown, Path(source))
  if page.file.src_uri == 'api.md':
    markdown = _link_names(markdown)
  return markdown


def _link_names(markdown: str) -> str:
  """Lets each name of docs/api.md lead to its reference."""
  head, *parts = _MODULE.split(markdown)
  for module, rows in zip(parts[::2], parts[1::2], strict=True):
    for name in _NAME.findall(rows):
      link = f'| [`{name}`][{path_of(module, name)}] |'
      rows = rows.replace(f'| `{name}` |', link)
    head += f'## influence_acme.{module}{rows}'
  return head
