"""Runs that are written by hand, and a reader of pages."""

import base64
import html.parser
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from influence_acme import reports
from influence_acme.runs import csv_log, episode_record, loggers, run_dir

STEPS = loggers.STEPS_KEY
# Elements that have no end.
_VOID = {'meta', 'link', 'input'}
# Elements that text runs through.
_INLINE = {'b', 'i', 'a'}


SPOKEN = {
  'speaker_consistency': 0.75,
  'speaker_consistency_scrambled': 0.125,
  'message_coordination': 1.5,
  'message_coordination_scrambled': 0.0625,
  'message_coordination_influential': np.nan,
  'message_coordination_influential_scrambled': np.nan,
}


class Page(html.parser.HTMLParser):
  """Checks that a page is well formed, and takes it apart.

  Attributes:
    text: what can be read, in one line.
    charts: name of each chart.
    lines: (name, colour) of the lines of all charts.
    stills: name of each still of the film.
    film: uint8 [F, H, W, 3]; None without one.
    urls: of everything that the page links to.
  """

  def __init__(self, source):
    super().__init__()
    self.charts: list[str] = []
    self.lines: list[tuple[str, str]] = []
    self.stills: list[str] = []
    self.film = None
    self.urls: list[str] = []
    self._texts: list[str] = []
    self._open: list[str] = []
    self._ids: set[str] = set()
    self._is_data = False
    self.feed(source)
    self.close()
    assert self._open == [], f'never closed: {self._open}'
    self.text = re.sub(r'\s+', ' ', ''.join(self._texts))

  def handle_starttag(self, tag, attrs):
    attributes = dict(attrs)
    assert len(attributes) == len(attrs), f'{tag}: twice the same attribute'
    assert not {'src', 'srcset', 'onclick'} & set(attributes)
    if tag == 'svg':
      self.charts.append(attributes['aria-label'])
    elif tag == 'canvas':
      assert attributes['aria-label'], 'a picture without a description'
      if 'data-step' in attributes:
        self.stills.append(attributes['aria-label'])
    elif tag == 'polyline' and 'data-name' in attributes:
      self.lines.append((attributes['data-name'], attributes['stroke']))
    elif tag == 'th':
      assert attributes['scope'] in ('row', 'col')
    elif tag == 'a':
      self.urls.append(attributes['href'])
    elif tag == 'link':
      assert attributes['href'] == 'data:,'
    elif tag == 'script':
      self._is_data = attributes.get('type') == 'application/json'
    assert tag not in ('img', 'iframe', 'object', 'base')
    if 'id' in attributes:
      assert attributes['id'] not in self._ids
      self._ids.add(attributes['id'])
    if tag not in _VOID:
      self._open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.handle_starttag(tag, attrs)
    self.handle_endtag(tag)

  def handle_endtag(self, tag):
    assert self._open and self._open.pop() == tag, f'</{tag}> is out of place'
    if tag not in _INLINE:
      self._texts.append(' ')

  def handle_data(self, data):
    inside = self._open[-1] if self._open else ''
    if inside == 'style':
      assert 'url(' not in data and '@import' not in data
    elif inside == 'script' and self._is_data:
      self.film = _decode(json.loads(data))
    elif inside == 'script':
      # Nothing is loaded, and no text becomes HTML.
      for word in 'fetch', 'XMLHttpRequest', 'import(', 'http', 'innerHTML':
        assert word not in data
    else:
      self._texts.append(data)


def _decode(film):
  """Returns the frames of a film, as the page's script draws them."""
  picture = Image.open(io.BytesIO(base64.b64decode(film['atlas'])))
  atlas = np.asarray(picture.convert('RGB'))
  data = zlib.decompress(base64.b64decode(film['places']))
  low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint16)
  rows = -(-film['height'] // 8)
  places = np.cumsum(
    (low + 256 * high).reshape(-1, rows, film['columns']),
    axis=0,
    dtype=np.uint16,
  )
  squares = atlas.reshape(-1, 8, 64, 8, 3).swapaxes(1, 2).reshape(-1, 8, 8, 3)
  frames = squares[places].swapaxes(2, 3)
  frames = frames.reshape(len(places), rows * 8, film['columns'] * 8, 3)
  return frames[:, : film['height'], : film['width']]


@pytest.fixture(name='read_page')
def _read_page():
  def read_page(path):
    source = path.read_text(encoding='utf-8')
    assert source.startswith('<!DOCTYPE html>')
    return Page(source)

  return read_page


@pytest.fixture(name='page_of')
def _page_of(read_page):
  def page_of(run, episode=None):
    """Writes a run's page, with an episode if one is given, and reads it."""
    if episode is not None:
      episode_record.write(run, episode)
    reports.write(run.path)
    return read_page(run.report_path)

  return page_of


@pytest.fixture(name='make_run')
def _make_run(tmp_path, monkeypatch):
  monkeypatch.setattr('sys.argv', ['train.py', '--note=<b> & "x"'])

  def make_run(path=tmp_path / 'a_run', **config):
    run = run_dir.RunDirectory(path)
    run.prepare()
    agent = {'variant': 'moa', 'discount': 0.99}
    defaults = {
      'environment': 'cleanup',
      'agent': agent,
      'seed': 7,
      'num_steps': 4000,
    }
    run.write_config({**defaults, **config})
    return run

  return make_run


@pytest.fixture(name='write_logs')
def _write_logs():
  def write_logs(run, influence=True):
    """Writes 40 rows of two agents, of a learner as well; 100 steps each."""
    actor = csv_log.CSVLogger(run.logs / 'actor_0.csv', STEPS)
    learner = csv_log.CSVLogger(run.logs / 'learner.csv', STEPS)
    for i in range(1, 41):
      row = {
        STEPS: 100 * i,
        'collective_return': 2.0 * i,
        'episode_return/agent_0': i,
        'episode_return/agent_1': i,
        'equality': 1.0,
        'fair_return': 2.0 * i,
        'apples/agent_0': 2,
        'apples/agent_1': 3,
        'action_coordination': 0.25,
      }
      actor.write(row)
      row = {STEPS: 100 * i, 'entropy': 2.0, 'learner_walltime': 5.0 * i}
      if influence:
        row |= {'influence/agent_0': 0.1, 'influence/agent_1': 0.3}
        row |= {'moa_accuracy': 0.5}
      learner.write(row)
    actor.close()
    learner.close()

  return write_logs


@pytest.fixture(name='make_episode')
def _make_episode():
  def make_episode(influence=True, frames=True, messages=False):
    """Six steps of two agents: agent 1 influences agent 0 in step 2, by 3."""
    nats = np.full((6, 2, 2), np.nan, np.float32)
    nats[:, 0, 1] = [0, 0.5, 0, 0, 0, 0]
    nats[:, 1, 0] = [0, 0, 3, 1, 0, 0]
    actions = np.array([[0, 1], [1, 2], [2, 1], [0, 0], [0, 0], [0, 0]])
    random = np.random.default_rng(0)
    return episode_record.EpisodeRecord(
      agent_ids=('agent_0', 'agent_1'),
      rewards=np.array([[1, 0], [0, 1], [1, 1], [0, 0], [0, 0], [1, 1]], float),
      actions=actions,
      influence=nats if influence else None,
      frames=list(random.integers(0, 256, (7, 30, 40, 3), np.uint8))
      if frames
      else (),
      views=None,
      action_names=('stay', 'fire', 'clean'),
      messages=np.arange(12).reshape(6, 2) if messages else None,
      measures={
        'apples/agent_0': 4.0,
        'apples/agent_1': 3.0,
        'beams/agent_0': 2.0,
        'beams/agent_1': 1.0,
        'influential_share': 0.25,
        'action_coordination': 0.5,
        **(SPOKEN if messages else {}),
      },
    )

  return make_episode
