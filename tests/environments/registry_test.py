import dm_env
import pytest

from influence_acme import environments
from influence_acme.environments import cleanup, harvest, matrix
from influence_acme.environments.grid import levels


def test_names():
  assert environments.names() == (
    'box_trapped',
    'cleanup',
    'cleanup_small',
    'coordination',
    'harvest',
    'harvest_small',
    'matrix',
  )
  for name in environments.names():
    assert environments.functional(name) == environments.functional(name)


def test_functional_passes_overrides():
  environment = environments.functional(
    'coordination', num_agents=4, episode_length=7
  )
  assert environment == matrix.Coordination(num_agents=4, episode_length=7)
  assert environment.agent_ids == ('agent_0', 'agent_1', 'agent_2', 'agent_3')


def test_small_worlds_are_the_same_games_with_other_defaults():
  small = environments.functional('cleanup_small')
  assert small == cleanup.Cleanup(
    level=levels.CLEANUP_SMALL, num_agents=3, episode_length=500
  )
  small = environments.functional('harvest_small', num_agents=2)
  assert small == harvest.Harvest(
    level=levels.HARVEST_SMALL, num_agents=2, episode_length=500
  )


def test_make_returns_the_dm_env_adapter():
  environment = environments.make('matrix', num_agents=3, seed=1)
  assert isinstance(environment, dm_env.Environment)
  assert environment.agent_ids == ('agent_0', 'agent_1', 'agent_2')


def test_unknown_names_list_what_exists():
  for factory in (environments.functional, environments.make):
    with pytest.raises(
      ValueError, match="'chess'.*cleanup, cleanup_small, coordination, h"
    ):
      factory('chess')


def test_unknown_overrides_list_what_exists():
  with pytest.raises(
    ValueError, match="'horizon'.*num_agents, num_actions, episode_length"
  ):
    environments.make('coordination', horizon=3)
  with pytest.raises(
    ValueError,
    match="'size'.*there are level, num_agents, episode_length, view_size, "
    'fire_cost, hit_cost, apple_chance, waste_chance',
  ):
    environments.functional('cleanup_small', size=3)


def test_values_out_of_range_raise():
  with pytest.raises(ValueError, match='num_agents is 1'):
    environments.functional('matrix', num_agents=1)


def test_what_people_call_actions():
  names = environments.make('cleanup').action_names
  assert names[0] == 'step left' and names[-2:] == ('fire', 'clean')
  assert environments.functional('harvest').action_names == names[:-1]
  box_trapped = environments.functional('box_trapped')
  assert box_trapped.action_names == (*names[:-2], 'open box')
  game = environments.make('matrix', num_actions=2)
  assert game.action_names == ('action 0', 'action 1')
