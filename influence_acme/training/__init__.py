"""The fused trainer: unroll and update in one process, on any JAX."""

from typing import TYPE_CHECKING

from influence_acme.training.config import TrainConfig

__all__ = ('TrainConfig', 'run')

if TYPE_CHECKING:
  from influence_acme.training.runner import run
else:

  def __getattr__(name: str):
    """Loads `run`, and JAX with it, when it is first asked for."""
    if name != 'run':
      raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from influence_acme.training import runner

    return runner.run
