"""The paper's agent: actor-critic, MOA and influence reward."""

from influence_acme import compat  # noqa: F401
from influence_acme.agents.influence import presets
from influence_acme.agents.influence.builder import InfluenceBuilder
from influence_acme.agents.influence.config import InfluenceConfig, VARIANTS
from influence_acme.agents.influence.environment import (
  make_environment,
  wrap_environment,
)
from influence_acme.agents.influence.networks import (
  InfluenceNetworks,
  make_networks,
)

__all__ = [
  'VARIANTS',
  'InfluenceBuilder',
  'InfluenceConfig',
  'InfluenceNetworks',
  'make_environment',
  'make_networks',
  'presets',
  'wrap_environment',
]
