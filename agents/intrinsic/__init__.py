"""Any single-agent Acme agent, paid for influence on the others."""

from influence_acme import compat  # noqa: F401
from influence_acme.agents.intrinsic.builder import InfluenceLearnerBuilder
from influence_acme.agents.intrinsic.config import MOAConfig
from influence_acme.agents.intrinsic.world import on_world

__all__ = ['InfluenceLearnerBuilder', 'MOAConfig', 'on_world']
