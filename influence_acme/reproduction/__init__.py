"""The paper's experiments, as sweeps over variants, settings and seeds.

- `Sweep`: what is run, and where each run lies.
- `run`: runs what is not finished yet, one run after the other.
- `schelling`, `scripted`: what the games pay for, by agents that do not learn.
- `write_report`: curves, tables and correlations of what has been run.
"""

from influence_acme.reproduction.report import write_report
from influence_acme.reproduction.runner import run
from influence_acme.reproduction.sweep import Run, Sweep

__all__ = ('Run', 'Sweep', 'run', 'write_report')
