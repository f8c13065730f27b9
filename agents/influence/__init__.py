"""Provides the paper's agent as Acme's builder, actors and learner."""

from typing import Any, TYPE_CHECKING

from influence_acme import lazy
from influence_acme.agents.influence.networks import make_networks
from influence_acme.system import presets
from influence_acme.system.config import InfluenceConfig, VARIANTS
from influence_acme.system.networks import InfluenceNetworks
from influence_acme.system.wrap import make_environment, wrap_environment

if TYPE_CHECKING:  # Loaded on demand, see below.
  from influence_acme.agents.influence.builder import InfluenceBuilder

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


def __getattr__(name: str) -> Any:
  return lazy.load(__name__, name, {'InfluenceBuilder': f'{__name__}.builder'})
