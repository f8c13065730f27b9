"""Sweeps whose runs are written by hand."""

import numpy as np
import pytest

from influence_acme import reproduction
from influence_acme.runs import checkpoint, csv_log, loggers

STEPS = loggers.STEPS_KEY


@pytest.fixture(name='make_sweep')
def _make_sweep(tmp_path):
  def make_sweep(**overrides):
    defaults = {
      'path': tmp_path / 'sweep',
      'experiment': 'moa',
      'game': 'cleanup',
      'variants': ('baseline', 'moa'),
      'seeds': (0, 1),
      'num_steps': 100,
      'num_environments': 2,
      'num_agents': 2,
      'episode_length': 10,
    }
    return reproduction.Sweep(**{**defaults, **overrides})

  return make_sweep


@pytest.fixture(name='write_checkpoint')
def _write_checkpoint():
  def write(run, steps):
    run.directory.path.mkdir(parents=True, exist_ok=True)
    checkpoint.save(
      run.directory.checkpoint_path,
      checkpoint.Checkpoint({}, {STEPS: steps}, np.zeros(1)),
    )

  return write


@pytest.fixture(name='write_log')
def _write_log():
  def write(run, rows, **more):
    """Writes (steps, returns of agents, R (1 - G)), and more by name."""
    run.directory.logs.mkdir(parents=True, exist_ok=True)
    logger = csv_log.CSVLogger(run.directory.logs / 'actor_0.csv', STEPS)
    for steps, returns, fair in rows:
      by_agent = {f'agent_{i}': float(r) for i, r in enumerate(returns)}
      row = {STEPS: steps, 'episode_return': by_agent, 'fair_return': fair}
      logger.write(loggers.flatten(row | more, STEPS))
    logger.close()

  return write
