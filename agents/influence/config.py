"""Names the configuration of the agent, and the weight that follows from it."""

from influence_acme.system.config import (  # noqa: F401
  InfluenceConfig,
  PPOConfig,
  VARIANTS,
)
from influence_acme.system.schedules import influence_weight  # noqa: F401
