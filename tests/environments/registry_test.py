import dm_env
import pytest

from influence_acme import environments
from influence_acme.environments import matrix


def test_names():
  assert environments.names() == (
    'box_trapped',
    'cleanup',
    'coordination',
    'harvest',
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


def test_make_returns_the_dm_env_adapter():
  environment = environments.make('matrix', num_agents=3, seed=1)
  assert isinstance(environment, dm_env.Environment)
  assert environment.agent_ids == ('agent_0', 'agent_1', 'agent_2')


def test_unknown_names_list_what_exists():
  for factory in (environments.functional, environments.make):
    with pytest.raises(
      ValueError, match="'chess'.*cleanup, coordination, harvest"
    ):
      factory('chess')


def test_unknown_overrides_list_what_exists():
  with pytest.raises(
    ValueError, match="'horizon'.*num_agents, num_actions, episode_length"
  ):
    environments.make('coordination', horizon=3)


def test_values_out_of_range_raise():
  with pytest.raises(ValueError, match='num_agents is 1'):
    environments.functional('matrix', num_agents=1)


def test_what_people_call_actions():
  cleanup = environments.make('cleanup').action_names
  assert cleanup[0] == 'step left' and cleanup[-2:] == ('fire', 'clean')
  harvest = environments.functional('harvest')
  assert harvest.action_names == cleanup[:-1]
  box_trapped = environments.functional('box_trapped')
  assert box_trapped.action_names == (*cleanup[:-2], 'open box')
  game = environments.make('matrix', num_actions=2)
  assert game.action_names == ('action 0', 'action 1')
