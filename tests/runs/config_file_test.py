"""Tests of the settings of a run, and of what a resume may change."""

import json

import numpy as np
import pytest

from influence_acme.runs import checkpoint, config_file, identity


def _make_bonus():
  return lambda reward: reward


_SETTINGS = {
  'num_steps': 10,
  'seed': 0,
  'resume': False,
  'run_dir': 'here',
  'environment': 'cleanup',
  'rate': float('nan'),
  'bonus': _make_bonus(),
  'agent': {'discount': 0.99, 'ppo': {'num_epochs': 2}, 'sizes': (1, 2)},
  'functional_environment': {'name': 'cleanup', 'episode_length': 7},
}


@pytest.fixture
def path(tmp_path):
  path = tmp_path / 'config.json'
  config_file.write(path, _SETTINGS)
  return path


def test_equal_settings_do_not_differ(path):
  again = {
    **_SETTINGS,
    'bonus': _make_bonus(),  # At another address.
    'num_steps': np.int64(10),
    'agent': {**_SETTINGS['agent'], 'sizes': [1, 2.0]},
    'resume': True,
    'run_dir': 'there',
  }
  old = config_file.last_settings(path)
  assert config_file.differences(old, again) == {}
  assert config_file.check(path, again) == {}


def test_each_difference_is_named_once_as_users_name_it(path):
  new = {
    'num_steps': 20,
    'environment': 'harvest',
    'agent': {'discount': 0.9, 'ppo': {'num_epochs': 3}, 'sizes': (1, 2)},
    'functional_environment': {'name': 'harvest', 'episode_length': 8},
  }
  old = config_file.last_settings(path)
  found = config_file.differences(old, {**_SETTINGS, **new, 'more': 1})
  assert found == {
    'discount': [0.99, 0.9],
    'episode_length': [7, 8],
    'game': ['cleanup', 'harvest'],
    'more': [None, 1],
    'num_epochs': [2, 3],
    'num_steps': [10, 20],
  }


@pytest.mark.parametrize('name', config_file.MAY_CHANGE)
def test_what_may_change_is_not_refused(tmp_path, name):
  path = tmp_path / 'config.json'
  config_file.write(path, {name: 1})
  assert config_file.check(path, {name: 2}) == {}


def test_the_others_are_refused_unless_they_are_allowed(path):
  new = {**_SETTINGS, 'seed': 1, 'agent': {'discount': 0.9}}
  with pytest.raises(
    checkpoint.CheckpointError,
    match=r'its discount is 0.99, that of this run 0.9\..*_changes=discount\.',
  ):
    config_file.check(path, new)
  changed = {'discount': [0.99, 0.9]}
  for allowed in (['discount'], ['x, discount'], 'discount'):
    assert config_file.check(path, new, allowed) == changed


def test_another_game_can_be_allowed(path):
  new = {**_SETTINGS, 'environment': 'harvest'}
  assert config_file.check(path, new, ['game']) == {
    'game': ['cleanup', 'harvest']
  }
  assert identity.allowed_names(['game']) == {'game', 'environment'}


def test_what_only_one_way_to_run_writes_down_is_no_change(path):
  assert config_file.check(path, {'agent': {'discount': 0.99}, 'new': 2}) == {}


def test_the_last_resume_counts(path):
  config_file.write(path, {**_SETTINGS, 'agent': {'discount': 0.9}})
  assert config_file.last_settings(path)['agent'] == {'discount': 0.9}
  assert json.loads(path.read_text())['resumed'][0]['changed']['discount'] == [
    0.99,
    0.9,
  ]
