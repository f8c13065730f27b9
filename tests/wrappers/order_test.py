"""Which wrapper may stand around which."""

import pytest
from dm_env import specs

from influence_acme import wrappers
from influence_acme.testing import fakes


def _speaking():
  return wrappers.MessageChannelWrapper(fakes.FakeMultiAgentEnvironment(), 4)


def test_the_other_order_is_refused():
  with pytest.raises(ValueError, match='MessageChannelWrapper, outside this'):
    wrappers.OthersActionsWrapper(_speaking())


def test_wrapping_twice_is_refused():
  with pytest.raises(ValueError, match="'agent_0' are {'action'.*only once"):
    wrappers.MessageChannelWrapper(_speaking(), 4)


def test_observed_messages_of_another_kind_are_refused():
  class Mail(fakes.FakeMultiAgentEnvironment):
    def observation_spec(self):
      return dict.fromkeys(self.agent_ids, {'messages': specs.Array((), int)})

  with pytest.raises(ValueError, match="'agent_0' has 'messages' already"):
    wrappers.MessageChannelWrapper(Mail(), 4)


@pytest.mark.parametrize(
  'wrap',
  [
    wrappers.OthersActionsWrapper,
    lambda view: wrappers.MessageChannelWrapper(view, 4),
  ],
)
def test_the_view_of_one_agent_is_refused(wrap):
  environment = fakes.FakeMultiAgentEnvironment(num_agents=1)
  view = wrappers.SingleAgentView(environment, 'agent_0', {})
  with pytest.raises(ValueError, match='must be a dict by agent id'):
    wrap(view)
