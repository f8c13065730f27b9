"""Names of variables where one source serves several agents.

Agent `agent_0`'s variables `policy` are called `agent_0/policy`. Acme's
learners ignore the names that they are asked for, or raise a bare KeyError;
ours check them, so that a misspelt name does not fetch the wrong parameters.
"""

from collections.abc import Collection, Sequence

import acme
from acme import types as acme_types

from influence_acme import types


def prefixed(agent_id: types.AgentId, name: str) -> str:
  """Returns the name under which a shared source serves an agent's variable."""
  return f'{agent_id}/{name}'


def check_names(requested: Sequence[str], available: Collection[str]) -> None:
  """Checks that every requested variable exists.

  Args:
    requested: the names asked for.
    available: the names that exist.

  Raises:
    ValueError: a name does not exist; the message lists those that do.
  """
  unknown = [name for name in requested if name not in available]
  if unknown:
    raise ValueError(
      f'Unknown variables {unknown}: there are {sorted(available)}.'
    )


class AgentVariableSource(acme.VariableSource):
  """One agent's view of a source that serves several.

  An agent's `VariableClient` knows nothing of other agents: it asks for
  `policy`, and gets what the shared source calls `agent_0/policy`.
  """

  def __init__(self, source: acme.VariableSource, agent_id: types.AgentId):
    """Initializes the view.

    Args:
      source: serves prefixed names, as `LearnerSet` does; a client of one in
        another process will do.
      agent_id: whose variables to serve.
    """
    self._source = source
    self._agent_id = agent_id

  def get_variables(self, names: Sequence[str]) -> list[acme_types.NestedArray]:
    """Returns this agent's variables of the given names, in their order."""
    return self._source.get_variables(
      [prefixed(self._agent_id, name) for name in names]
    )
