"""Exports the configuration of the agent, and its influence weight."""

from influence_acme.system.config import (  # noqa: F401
  InfluenceConfig,
  PPOConfig,
  VARIANTS,
)
from influence_acme.system.schedules import influence_weight  # noqa: F401
