"""Openings of Box Trapped in episodes written by hand."""

import pathlib

import numpy as np
import pytest

from influence_acme import playing
from influence_acme.environments import box_trapped
from influence_acme.metrics import interval
from influence_acme.reproduction import openings, statistics
from influence_acme.runs import episode_record

NUM_STEPS = 12


def _episode(opens, influence=None):
  """Returns an episode in which agent_0 opens in some steps."""
  actions = np.zeros((NUM_STEPS, 2), np.int32)
  actions[list(opens), 0] = box_trapped.OPEN_BOX
  actions[:, 1] = box_trapped.OPEN_BOX  # Of agent_1 it is nothing.
  if influence is not None:
    on_others = np.full((NUM_STEPS, 2, 2), np.nan, np.float32)
    on_others[:, 0, 1] = influence
    influence = on_others
  return episode_record.EpisodeRecord(
    agent_ids=('agent_0', 'agent_1'),
    rewards=np.zeros((NUM_STEPS, 2), np.float32),
    actions=actions,
    influence=influence,
    frames=(),
  )


def test_the_first_opening_of_each_episode_counts():
  found = openings.measure('baseline', 3, [_episode(x) for x in ([7, 9], [])])
  assert found == openings.Openings('baseline', 3, (7, None), ())
  assert found.share == 0.5


def test_the_trace_is_a_mean_around_the_openings():
  rising = np.arange(NUM_STEPS)
  found = openings.measure(
    'basic_influence',
    0,
    [
      _episode([7], rising),
      _episode([2, 3], 10 * rising),
      _episode([], 1000 * rising),
    ],
  )
  assert found.times == (7, 2, None)
  # Around step 7 of one, steps 2 to 11; around step 2 of the other, 0 to 7.
  assert found.trace == pytest.approx(
    # Before: 2, 3, 4, then means with 0 and 10.
    [2, 3, 4, (5 + 0) / 2, (6 + 10) / 2]
    # The opening.
    + [(7 + 20) / 2]
    # After: the first episode ends after step 11.
    + [(8 + 30) / 2, (9 + 40) / 2, (10 + 50) / 2, (11 + 60) / 2, 70]
  )


def test_steps_that_no_episode_has_are_none():
  found = openings.measure('moa', 0, [_episode([0], np.ones(NUM_STEPS))])
  assert found.trace == (None,) * openings.AROUND + (1,) * 6


def test_shares_in_words():
  opened = _episode([1], np.ones(NUM_STEPS))
  found = [
    openings.measure('baseline', 0, [_episode([])] * 3 + [_episode([2])]),
    openings.measure('moa', 0, [opened, _episode([])]),
    openings.measure('moa', 1, [opened] * 2),
  ]
  assert openings.in_words(found) == (
    'agent_0 lets agent_1 out of its box in 75.0% of 4 episodes of moa, '
    'against 25.0% of 4 episodes of baseline.'
  )


def test_what_is_written_is_read(tmp_path):
  found = openings.measure(
    'basic_influence', 1, [_episode([1], np.ones(NUM_STEPS)), _episode([])]
  )
  openings.write(tmp_path / 'openings.json', found)
  assert openings.read(tmp_path / 'openings.json') == found


def test_all_are_drawn(tmp_path):
  path = tmp_path / 'openings.png'
  episodes = [_episode([1], np.ones(NUM_STEPS)), _episode([])]
  openings.draw(
    [
      openings.measure('basic_influence', 0, episodes),
      openings.measure('baseline', 0, [_episode([])]),
    ],
    path,
  )
  assert path.stat().st_size > 1000


_RESULTS = pathlib.Path(__file__).parents[2] / 'results' / 'box_trapped'


def _committed(variant):
  return [
    openings.read(_RESULTS / f'openings_{variant}_{seed}.json')
    for seed in range(10)
  ]


def test_the_committed_page_says_what_its_data_says():
  page = (_RESULTS / 'README.md').read_text(encoding='utf-8')
  pairs = _committed('baseline'), _committed('basic_influence')
  for baseline, paid in zip(*pairs, strict=True):
    cells = [str(paid.seed)]
    for each in (baseline, paid):
      times = [time for time in each.times if time is not None]
      assert len(each.times) == 100
      cells += [f'{each.share:.0%}', f'{np.median(times):g}' if times else '']
    cells.append(f'{paid.trace[openings.AROUND]:.2f}')
    assert f'| {" | ".join(cells)} |' in page
  without, paid, seeing = (
    np.array([x.share for x in group])
    for group in (*pairs, _committed('visible_actions'))
  )
  words = ' '.join(page.split())
  for shares, text in (
    (paid, '{} paid for influence'),
    (without, '{} not; the difference'),
    (paid - without, 'seed by seed, {}'),
    (seeing, '(`visible_actions`), open it in {}'),
  ):
    mean, half_width = interval.interval(shares, statistics.CONFIDENCE)
    assert text.format(f'{mean:.1%} ± {half_width:.1%}') in words


def test_the_committed_agents_let_each_other_out():
  policy = playing.load(_RESULTS / 'basic_influence')
  played = playing.evaluate(policy, num_episodes=32, seed=7)
  found = openings.measure('basic_influence', 0, played.records)
  assert found.share > 0.85
  at_opening = found.trace[openings.AROUND]
  assert at_opening is not None and at_opening > 1.0
