"""Runs several Acme agents in one multi-agent environment.

`actor` and `learner_set` join single-agent actors and learners, `variables`
names each agent's variables, and `population` makes one builder of several.
`observers` compute metrics of the group in any Acme environment loop, and
`recording` the influence between each pair of agents.
"""

from influence_acme import compat as _compat  # noqa: F401  Before acme.jax.

# isort: split

from influence_acme.multiagent.actor import FunctionActor, JointActor
from influence_acme.multiagent.learner_set import LearnerSet
from influence_acme.multiagent.observers import (
  ChoiceObserver,
  InfluenceObserver,
  make_observers,
  SocialObserver,
)
from influence_acme.multiagent.population import (
  make_networks,
  Member,
  PopulationBuilder,
)
from influence_acme.multiagent.recording import (
  InfluenceMatrixObserver,
  RecordingAdder,
)
from influence_acme.multiagent.variables import AgentVariableSource
from influence_acme.system.specs import agent_spec

__all__ = (
  'AgentVariableSource',
  'ChoiceObserver',
  'FunctionActor',
  'InfluenceMatrixObserver',
  'InfluenceObserver',
  'JointActor',
  'LearnerSet',
  'Member',
  'PopulationBuilder',
  'RecordingAdder',
  'SocialObserver',
  'agent_spec',
  'make_networks',
  'make_observers',
)
