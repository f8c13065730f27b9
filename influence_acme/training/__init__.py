"""The fused trainer: unroll and update in one process, on any JAX."""

from influence_acme.training.config import TrainConfig
from influence_acme.training.runner import run

__all__ = ('TrainConfig', 'run')
