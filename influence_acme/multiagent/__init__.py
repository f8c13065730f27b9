"""Several Acme agents in one multi-agent environment.

`specs` slices and stacks the environment's specs and time steps by agent,
`actor` and `learner_set` join single-agent actors and learners, `variables`
names each agent's variables, and `population` makes one builder of several.
`observers` measure how the group fares, in any Acme environment loop, and
`recording` who influences whom.
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
