"""Adds a reward for influence to any single-agent Acme agent."""

from influence_acme import compat  # noqa: F401
from influence_acme.agents.intrinsic.builder import InfluenceLearnerBuilder
from influence_acme.agents.intrinsic.config import MOAConfig
from influence_acme.agents.intrinsic.pixel_observations import on_world

__all__ = ['InfluenceLearnerBuilder', 'MOAConfig', 'on_world']
