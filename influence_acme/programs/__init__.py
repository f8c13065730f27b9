"""Programs: one graph of replay, learner and actors, launched in three ways."""

from influence_acme import compat as _compat  # noqa: F401  Before acme.jax.

# isort: split

from influence_acme.runs import signals as _signals

with _signals.deferred():
  from influence_acme.programs.experiment import Experiment
  from influence_acme.programs.graph import make_program, Program
  from influence_acme.programs.launcher import launch, LAUNCHES
  from influence_acme.programs.placement import Placement, read_placement
  from influence_acme.programs.stoppable import StoppableBuilder
  from influence_acme.runs import malloc as _memory
  from influence_acme.runs.checkpoint import CheckpointError
  from influence_acme.runs.csv_log import read_log

# JAX's threads begin with its first array, and keep the arena that they have.
_memory.share_one_arena()

__all__ = (
  'CheckpointError',
  'Experiment',
  'LAUNCHES',
  'Placement',
  'Program',
  'StoppableBuilder',
  'launch',
  'make_program',
  'read_log',
  'read_placement',
)
