import copy
import pickle

import pytest

from influence_acme.testing import fakes
from influence_acme.wrappers import base


class _Closable(fakes.FakeMultiAgentEnvironment):
  closed = False

  def close(self):
    self.closed = True

  def render(self):
    return 'picture'


def test_forwards_everything():
  inner = _Closable()
  environment = base.EnvironmentWrapper(inner)
  assert environment.agent_ids == inner.agent_ids
  assert environment.action_spec() == inner.action_spec()
  assert environment.observation_spec() == inner.observation_spec()
  assert environment.reward_spec() == inner.reward_spec()
  assert environment.discount_spec() == inner.discount_spec()
  assert environment.render() == 'picture'
  assert environment.reset().first()
  assert environment.step({'agent_0': 0, 'agent_1': 0}).mid()
  environment.close()
  assert inner.closed


def test_forwards_through_several():
  environment = base.EnvironmentWrapper(base.EnvironmentWrapper(_Closable()))
  assert environment.render() == 'picture'
  assert not hasattr(environment, 'visible')


def test_keeps_private_names_private():
  with pytest.raises(AttributeError, match='_script'):
    base.EnvironmentWrapper(_Closable())._script  # noqa: B018


@pytest.mark.parametrize(
  'duplicate', [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_can_be_copied(duplicate):
  environment = base.EnvironmentWrapper(fakes.FakeMultiAgentEnvironment())
  assert duplicate(environment).reset().first()
