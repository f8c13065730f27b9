"""The documentation holds together: menu, links, versions, reference."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from influence_acme import compat

ROOT = pathlib.Path(__file__).parents[1]
# A heading, and the anchor that GitHub gives it.
_HEADING = re.compile(r'^#+ +(.+)$', re.MULTILINE)
_CODE = re.compile(r'^ *```.*?^ *```|`[^`\n]*`', re.DOTALL | re.MULTILINE)
_LINK = re.compile(r'\]\(([^)\s]+)\)')


def _pages():
  """Returns every Markdown file of the repository."""
  folders = ('docs', 'agents', 'environments', 'benchmarks', 'results', 'tests')
  found = [*ROOT.glob('*.md')]
  for name in folders:
    found += (ROOT / name).rglob('*.md')
  return sorted(found)


def _anchor(heading):
  text = re.sub(r'\[(.*?)\]\(.*?\)', r'\1', heading).replace('`', '')
  return re.sub(r'[^\w\- ]', '', text.strip().lower()).replace(' ', '-')


def _anchors(page):
  text = re.sub(r'^```.*?^```', '', page.read_text('utf-8'), flags=re.S | re.M)
  return {_anchor(heading) for heading in _HEADING.findall(text)}


def _broken(page):
  """Returns the links of a page that lead nowhere in the repository."""
  broken = []
  for link in _LINK.findall(_CODE.sub('', page.read_text('utf-8'))):
    if '://' in link:
      continue
    file, _, anchor = link.partition('#')
    target = (page.parent / file).resolve() if file else page
    if not target.exists():
      broken.append(link)
    elif anchor:
      target = target / 'README.md' if target.is_dir() else target
      if anchor not in _anchors(target):
        broken.append(link)
  return broken


@pytest.mark.parametrize(
  'page', [page.relative_to(ROOT).as_posix() for page in _pages()]
)
def test_links_lead_to_files_and_headings(page):
  assert not _broken(ROOT / page)


def test_the_check_finds_broken_links(tmp_path):
  page = tmp_path / 'page.md'
  page.write_text(
    '# Here, a [`word`](page.md)\n[a](none.md) [b](page.md#here-a-word)\n'
    '[c](#here) `[d](none.md)`\n```\n[e](none.md)\n# Not\n```\n[f](#not)\n'
    '[g](https://host/none)'
  )
  assert _broken(page) == ['none.md', '#here', '#not']


def test_every_page_of_docs_is_in_the_menu():
  _, menu = (ROOT / 'mkdocs.yml').read_text('utf-8').split('\nnav:\n')
  listed = set(re.findall(r'(\S+\.md)$', menu, re.MULTILINE))
  docs = ROOT / 'docs'
  pages = {path.relative_to(docs).as_posix() for path in docs.rglob('*.md')}
  assert pages <= listed


def test_every_module_of_the_api_has_a_page_of_reference():
  _, menu = (ROOT / 'mkdocs.yml').read_text('utf-8').split('\nnav:\n')
  api = (ROOT / 'docs' / 'api.md').read_text('utf-8')
  modules = re.findall(r'^## influence_acme\.(\S+)$', api, re.MULTILINE)
  assert re.findall(r'reference/(\S+)\.md', menu) == modules


def test_versions_are_those_that_are_checked():
  page = (ROOT / 'docs' / 'versions.md').read_text('utf-8')
  rows = re.findall(
    r'^\| `(.+?)` \| `(.+?)` \| (.+?) \| (.+?) \|$', page, re.MULTILINE
  )
  assert rows == [tuple(each) for each in compat.REQUIREMENTS]


def _is_newest(path):
  """Whether a file is newer than all that the site is made of."""
  code = ('influence_acme', 'agents', 'environments', 'tools')
  sources = [ROOT / 'mkdocs.yml', *_pages()]
  sources += [x for name in code for x in (ROOT / name).rglob('*.py')]
  newest = max(source.stat().st_mtime for source in sources)
  return path.exists() and path.stat().st_mtime > newest


@pytest.fixture(scope='module')
def site(tmp_path_factory):
  """Returns the site that `make docs` built, or builds it as strictly."""
  built = ROOT / 'build' / 'site'
  if _is_newest(built / 'index.html'):
    return built
  path = tmp_path_factory.mktemp('site')
  command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet']
  done = subprocess.run(
    [*command, f'--site-dir={path}'],
    cwd=ROOT,
    env={**os.environ, 'NO_MKDOCS_2_WARNING': '1'},
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr
  return path


@pytest.mark.slow
def test_the_reference_has_every_public_name(site):
  api = (ROOT / 'docs' / 'api.md').read_text('utf-8')
  _, *parts = re.split(r'^## influence_acme\.(\S+)$', api, flags=re.MULTILINE)
  for module, rows in zip(parts[::2], parts[1::2], strict=True):
    page = (site / 'reference' / f'{module}.html').read_text('utf-8')
    names = re.findall(r'^\| `(\w+)`', rows, re.MULTILINE)
    assert names
    missing = [name for name in names if f'.{name}" class="doc' not in page]
    assert not missing, f'{module}: {missing}'


@pytest.mark.slow
def test_the_site_loads_nothing_from_another_host(site):
  for path in site.rglob('*.html'):
    page = path.read_text('utf-8')
    loads = re.findall(r'<(?:script|img|link|iframe)\b[^>]*>', page)
    assert not [tag for tag in loads if re.search(r'="(?:https?:)?//', tag)]


@pytest.mark.slow
def test_search_works_where_pages_are_opened_from_the_disk(site):
  """A page may not read a file there: the index comes as a script."""
  index = (site / 'search' / 'search_index.js').read_text('utf-8')
  assert index.startswith('var __index = {')
  assert 'counterfactual' in index
  for path in site.rglob('*.html'):
    (shim,) = re.findall(
      r'src="([^"]*iframe-worker[^"]*)"', path.read_text('utf-8')
    )
    assert path.name == '404.html' or (path.parent / shim).exists()
