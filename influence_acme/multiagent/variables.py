"""Names the variables of several agents in one source.

The variables `policy` of agent `agent_0` are called `agent_0/policy`. Acme's
learners ignore the requested names, or raise a bare KeyError; these sources
check them, so that a misspelt name does not fetch the wrong parameters.
"""

from collections.abc import Collection, Sequence

import acme
from acme import types as acme_types

from influence_acme import types


def prefixed(agent_id: types.AgentId, name: str) -> str:
  """Returns the name under which a shared source serves an agent's variable."""
  return f'{agent_id}/{name}'


def check_requested(agent_id: types.AgentId, names: Sequence[str]) -> None:
  """Raises ValueError: an agent's variable names are no tuple of strings."""
  if not isinstance(names, (tuple, list)) or not all(
    isinstance(name, str) for name in names or [None]
  ):
    raise ValueError(
      f'variable_names of {agent_id!r} is {names!r}: it must be a tuple of '
      'names, at least one.'
    )


def check_names(requested: Sequence[str], available: Collection[str]) -> None:
  """Raises ValueError: a requested name does not exist; lists those that do."""
  unknown = [name for name in requested if name not in available]
  if unknown:
    raise ValueError(
      f'Unknown variables {unknown}: there are {sorted(available)}.'
    )


class AgentVariableSource(acme.VariableSource):
  """Serves one agent's variables from a source of several agents.

  An agent's `VariableClient` requests `policy`, and gets the variables
  `agent_0/policy` of the shared source.
  """

  def __init__(self, source: acme.VariableSource, agent_id: types.AgentId):
    """Initializes the view.

    Args:
      source: serves prefixed names, as `LearnerSet` does; or a client of one in
        another process.
      agent_id: the agent of the served variables.
    """
    self._source = source
    self._agent_id = agent_id

  def get_variables(self, names: Sequence[str]) -> list[acme_types.NestedArray]:
    """Returns this agent's variables of the given names, in their order."""
    return self._source.get_variables(
      [prefixed(self._agent_id, name) for name in names]
    )
