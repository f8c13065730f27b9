import pytest
from acme.testing import fakes

from influence_acme.multiagent import variables


class _Recorder(fakes.VariableSource):
  """Remembers what it was asked for."""

  def get_variables(self, names):
    self.names = list(names)
    return list(names)


def test_prefixed():
  assert variables.prefixed('agent_0', 'policy') == 'agent_0/policy'
  assert variables.prefixed('agent_1', '') == 'agent_1/'


def test_check_names_passes_known_names():
  variables.check_names([], {'a': 1})
  variables.check_names(['b', 'a', 'b'], ['a', 'b'])


def test_check_names_lists_what_exists():
  with pytest.raises(ValueError, match=r"\['polcy'\].*\['critic', 'policy'\]"):
    variables.check_names(['policy', 'polcy'], {'policy', 'critic'})


def test_agent_variable_source_asks_for_prefixed_names():
  source = _Recorder()
  view = variables.AgentVariableSource(source, 'agent_1')
  names = ['agent_1/policy', 'agent_1/critic']
  assert view.get_variables(['policy', 'critic']) == names
  assert source.names == names
