"""Pages of HTML that need nothing but themselves: pictures lie in them.

Functions return HTML. What they are given is text, and is escaped, unless it is
`Html`, or is called `body` or `parts`: that is HTML of these functions.
"""

import base64
import dataclasses
import html
import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Html(str):
  """Text that is HTML already."""


@dataclasses.dataclass(frozen=True)
class Section:
  """A part of a page.

  Attributes:
    title: of the part.
    body: HTML.
  """

  title: str
  body: str


def render(title: str, lead: str, sections: Sequence[Section]) -> str:
  """Returns a whole page.

  Args:
    title: of the page.
    lead: a sentence below it.
    sections: what follows.
  """
  style = importlib.resources.files(__package__).joinpath('page.css')
  links = ''.join(
    f'<a href="#part{i}">{html.escape(section.title)}</a>\n'
    for i, section in enumerate(sections)
  )
  parts = '\n'.join(
    f'<section id="part{i}"><h2>{html.escape(section.title)}</h2>\n'
    f'{section.body}</section>'
    for i, section in enumerate(sections)
  )
  return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>
{style.read_text(encoding='utf-8')}</style>
</head>
<body>
<header>
<h1>{html.escape(title)}</h1>
<p>{html.escape(lead)}</p>
<nav aria-label="Parts of this page">
{links}</nav>
</header>
<main>
{parts}
</main>
</body>
</html>
"""


def paragraph(text: str) -> str:
  """Returns a paragraph."""
  return f'<p>{html.escape(text)}</p>\n'


def heading(text: str) -> str:
  """Returns a title within a section."""
  return f'<h3>{html.escape(text)}</h3>\n'


def bullets(lines: Iterable[str]) -> str:
  """Returns a list."""
  items = ''.join(f'<li>{html.escape(line)}</li>\n' for line in lines)
  return f'<ul>\n{items}</ul>\n'


def verbatim(text: str) -> str:
  """Returns text as it is, lines and all."""
  return f'<pre tabindex="0">{html.escape(text)}</pre>\n'


def link(text: str, url: str) -> Html:
  """Returns a link, for a cell of a table."""
  return Html(f'<a href="{html.escape(url)}">{html.escape(text)}</a>')


def table(
  header: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str
) -> str:
  """Returns a table, which scrolls sideways where there is no room.

  Args:
    header: a title for each column.
    rows: of cells; the first one says what the row is of.
    caption: above the table.
  """
  return _scrolling(caption, f'<table>{_head(header)}{_body(rows)}</table>')


def heat_map(
  names: Sequence[str],
  cells: Sequence[Sequence[tuple[str, float] | None]],
  caption: str,
) -> str:
  """Returns a square table whose cells are coloured by their values.

  Args:
    names: of rows and columns alike.
    cells: (text, share of the largest value, in [0, 1]) of each; None: blank.
    caption: above the table.
  """
  rows = []
  for name, row in zip(names, cells, strict=True):
    columns = ''.join(map(_coloured_cell, row))
    rows.append(f'<tr>{_cell("th", name, " scope=row")}{columns}</tr>\n')
  return _scrolling(
    caption,
    '<table class="map">'
    + _head(['of ↓ on →', *names])
    + f'<tbody>{"".join(rows)}</tbody></table>',
  )


def image(
  data: bytes,
  kind: str,
  description: str,
  caption: str = '',
  still: bytes = b'',
) -> str:
  """Returns a picture that lies in the page.

  Args:
    data: of the file.
    kind: of the file, 'png' or 'gif'.
    description: for those who cannot see it.
    caption: below it.
    still: a PNG, for those who asked their system for less motion.
  """
  below = f'<figcaption>{html.escape(caption)}</figcaption>' if caption else ''
  picture = f'<img alt="{html.escape(description)}" src="{_url(data, kind)}">'
  if still:
    when = '(prefers-reduced-motion: reduce)'
    source = f'<source media="{when}" srcset="{_url(still, "png")}">'
    picture = f'<picture>{source}{picture}</picture>'
  return f'<figure>{picture}{below}</figure>\n'


def grid(parts: Iterable[str]) -> str:
  """Returns parts side by side, as many as there is room for."""
  return f'<div class="grid">{"".join(parts)}</div>\n'


def legend(colours: Mapping[str, str]) -> str:
  """Returns which name has which colour; nothing if there is no name."""
  parts = ''.join(
    f'<span><i style="background:{colour}"></i>{html.escape(name)}</span>\n'
    for name, colour in colours.items()
  )
  return f'<p class="legend">{parts}</p>\n' if colours else ''


def folded(summary: str, body: str) -> str:
  """Returns what shows only if the summary is clicked at."""
  return f'<details><summary>{html.escape(summary)}</summary>{body}</details>\n'


def _url(data: bytes, kind: str) -> str:
  return f'data:image/{kind};base64,{base64.b64encode(data).decode("ascii")}'


def _scrolling(caption: str, body: str) -> str:
  # A caption in the table would be as wide, and be cut off with it.
  above = (
    f'<figcaption>{html.escape(caption)}</figcaption>\n' if caption else ''
  )
  # Whoever has no mouse scrolls what has the focus.
  scrolling = f'<div class="scroll" tabindex="0">{body}</div>'
  return f'<figure>{above}{scrolling}</figure>\n'


def _head(header: Sequence[Any]) -> str:
  cells = ''.join(_cell('th', cell, ' scope=col') for cell in header)
  return f'<thead><tr>{cells}</tr></thead>\n'


def _body(rows: Iterable[Sequence[Any]]) -> str:
  lines = []
  for first, *others in rows:
    cells = ''.join(_cell('td', cell) for cell in others)
    lines.append(f'<tr>{_cell("th", first, " scope=row")}{cells}</tr>\n')
  return f'<tbody>\n{"".join(lines)}</tbody>\n'


def _cell(tag: str, cell: Any, attributes: str = '') -> str:
  inner = cell if isinstance(cell, Html) else html.escape(str(cell))
  return f'<{tag}{attributes}>{inner}</{tag}>'


def _coloured_cell(cell: tuple[str, float] | None) -> str:
  if cell is None:
    return '<td class="blank"></td>'
  text, share = cell
  # From white to a dark blue, on which text is white.
  red, green, blue = (round(255 - share * (255 - x)) for x in (8, 72, 140))
  ink = '#fff' if share > 0.55 else '#222'
  style = f'background:rgb({red},{green},{blue});color:{ink}'
  return f'<td style="{style}">{html.escape(text)}</td>'
