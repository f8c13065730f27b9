"""Runs that are written by hand, and a reader of pages."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

from influence_acme.programs import evaluation
from influence_acme.runs import csv_log, loggers, run_dir

STEPS = loggers.STEPS_KEY
# Elements that have no end.
_VOID = {'meta', 'link', 'img', 'source', 'br'}


SPOKEN = {
  'speaker_consistency': 0.75,
  'speaker_consistency_scrambled': 0.125,
  'message_coordination': 1.5,
  'message_coordination_scrambled': 0.0625,
  'message_coordination_influential': np.nan,
  'message_coordination_influential_scrambled': np.nan,
}
FORESEEN = {'moa_accuracy': 0.625, 'moa_calibration_error': 0.125}
RELIABILITY = np.array([[np.nan, 0.5, 1], [np.nan, 0.5, 0.75], [0, 4, 4]])


class Page(html.parser.HTMLParser):
  """Checks that a page is well formed, and takes it apart.

  Attributes:
    text: what can be read, in one line.
    pictures: (description, PIL image) of each picture.
    urls: of everything that the page links to or loads, data left out.
  """

  def __init__(self, source):
    super().__init__()
    self.pictures: list[tuple[str, Image.Image]] = []
    self.urls: list[str] = []
    self._texts: list[str] = []
    self._open: list[str] = []
    self._ids: set[str] = set()
    self.feed(source)
    self.close()
    assert self._open == [], f'never closed: {self._open}'
    self.text = re.sub(r'\s+', ' ', ''.join(self._texts))

  def handle_starttag(self, tag, attrs):
    attributes = dict(attrs)
    assert len(attributes) == len(attrs), f'{tag}: twice the same attribute'
    if tag == 'img':
      assert attributes['alt'], 'a picture without a description'
      image = _decode(attributes['src'])
      self.pictures.append((attributes['alt'], image))
    elif tag == 'source':
      _decode(attributes['srcset'])
    elif tag == 'th':
      assert attributes['scope'] in ('row', 'col')
    elif tag == 'a':
      self.urls.append(attributes['href'])
    elif tag == 'link':
      assert attributes['href'] == 'data:,'
    assert tag not in ('script', 'iframe', 'object', 'base')
    if 'id' in attributes:
      assert attributes['id'] not in self._ids
      self._ids.add(attributes['id'])
    if tag not in _VOID:
      self._open.append(tag)

  def handle_endtag(self, tag):
    assert self._open and self._open.pop() == tag, f'</{tag}> is out of place'
    self._texts.append(' ')

  def handle_data(self, data):
    if self._open and self._open[-1] == 'style':
      assert 'url(' not in data and '@import' not in data
    else:
      self._texts.append(data)


def _decode(url):
  found = re.fullmatch(r'data:image/(png|gif);base64,([A-Za-z0-9+/=]+)', url)
  assert found, f'not within the page: {url[:80]}'
  image = Image.open(io.BytesIO(base64.b64decode(found[2], validate=True)))
  image.load()
  assert image.format == found[1].upper()
  return image


@pytest.fixture(name='read_page')
def _read_page():
  def read_page(path):
    source = path.read_text(encoding='utf-8')
    assert source.startswith('<!DOCTYPE html>')
    return Page(source)

  return read_page


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
    return evaluation.EpisodeRecord(
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
        **(FORESEEN if influence else {}),
      },
      reliability=RELIABILITY if influence else None,
    )

  return make_episode
