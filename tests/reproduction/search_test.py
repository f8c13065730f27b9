"""Tests of the random search."""

from typing import Any

import numpy as np
import pytest

from influence_acme.reproduction import search
from influence_acme.system import presets

_DRAW: dict[str, Any] = {'seed': 3, 'num_agents': 5}


def test_ranges_by_hand():
  # The tables' smallest and largest: .000174 and .00495, .000413 and .00249.
  np.testing.assert_allclose(
    search.log_range('entropy_cost'), (0.000087, 0.0099)
  )
  np.testing.assert_allclose(
    search.log_range('learning_rate'), (0.0002065, 0.00498)
  )
  # A weight of 0 is none; .146 and 4.825 are.
  np.testing.assert_allclose(
    search.log_range('influence_weight'), (0.073, 9.65)
  )


def test_settings_are_in_range_and_fill_it():
  settings = [
    search.draw('basic', 'harvest', 'basic_influence', index=i, **_DRAW)
    for i in range(200)
  ]
  for name in ('entropy_cost', 'learning_rate', 'influence_weight'):
    low, high = np.log(search.log_range(name))
    drawn = (np.log([s[name] for s in settings]) - low) / (high - low)
    assert 0 <= drawn.min() < 0.05 < 0.95 < drawn.max() <= 1
    assert 0.4 < drawn.mean() < 0.6
  steps = [s['influence_curriculum_steps'] for s in settings]
  assert 20_000_000 <= min(steps) < 40_000_000
  assert 330_000_000 < max(steps) <= 350_000_000
  assert {s['num_influencers'] for s in settings} == {1, 2, 3, 4}
  assert {s['influence_measure'] for s in settings} == {'kl', 'jsd', 'pmi'}
  assert {s['influencee_reward'] for s in settings} == {False, True}


def test_someone_is_no_influencer():
  for i in range(20):
    drawn = search.draw(
      'basic', 'cleanup', 'visible_actions', index=i, seed=0, num_agents=2
    )
    assert drawn['num_influencers'] == 1


def test_what_is_drawn_depends_on_seed_and_index_alone():
  draw = search.draw('moa', 'cleanup', 'moa', index=1, **_DRAW)
  assert draw == search.draw('moa', 'cleanup', 'moa', index=1, **_DRAW)
  for other in (
    search.draw('moa', 'cleanup', 'moa', index=2, **_DRAW),
    search.draw('moa', 'cleanup', 'moa', index=1, seed=4, num_agents=5),
  ):
    assert other['learning_rate'] != draw['learning_rate']


def test_variants_share_what_they_have_in_common():
  moa, auxiliary, baseline = (
    search.draw('moa', 'harvest', variant, index=0, **_DRAW)
    for variant in ('moa', 'moa_baseline', 'baseline')
  )
  assert auxiliary.pop('influence_weight') == 0
  assert baseline.items() <= auxiliary.items() <= moa.items()
  assert moa['influence_weight'] > 0


@pytest.mark.parametrize('key', presets.available())
def test_configurations_can_be_made_of_it(key):
  for i in range(5):
    drawn = search.draw(*key, index=i, **_DRAW)
    config = presets.make_config(*key, **drawn)
    assert {name: getattr(config, name) for name in drawn} == drawn
