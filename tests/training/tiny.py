"""A run of the fused trainer that takes seconds."""

import dataclasses
from typing import Any

from influence_acme import playing
from influence_acme.runs import checkpoint, run_dir
from influence_acme.system import config as config_lib
from influence_acme.training import config as train_config_lib
from influence_acme.training import runner as run_lib

B, T = 4, 10

# To learn the game takes longer episodes: two agents get 1 for each match.
NUM_STEPS, LONG, OPTIMUM = 30_000, 20, 40.0


def make_agent(variant='moa', **options):
  """Returns the configuration of small agents."""
  fields: dict[str, Any] = {
    'variant': variant,
    'hidden_size': 8,
    'unroll_length': T,
    'batch_size': B,
    'max_queue_size': options.get('batch_size', B),
    'influence_curriculum_steps': 1000,
    **options,
  }
  return config_lib.InfluenceConfig(**fields)


def make_learning_agent(update):
  """Returns agents that learn the game in `NUM_STEPS`, by either update."""
  return make_agent(
    hidden_size=32,
    update=update,
    influence_weight=0.1,
    moa_loss_weight=1.0,
    reward_scale=1.0,
    entropy_cost=0.003,
    learning_rate=5e-3,
    learning_rate_end=1e-4,
    learning_rate_steps=NUM_STEPS,
    batch_size=8,
  )


def learned_return(path):
  """Returns the mean return of both agents, as they learn: actions are drawn.

  Rows of the log are means over some time, in which a fast machine trains far.
  """
  played = playing.evaluate(playing.load(path), num_episodes=100, seed=1)
  return played.returns.sum(axis=1).mean()


def make_config(path, agent=None, **options):
  """Returns the configuration of a run on the coordination game."""
  fields: dict[str, Any] = {
    'agent': agent or make_agent(),
    'game': 'coordination',
    'episode_length': 7,
    'num_steps': 100,
    'run_dir': str(path),
    **options,
  }
  return train_config_lib.TrainConfig(**fields)


def run(path, agent=None, environment=None, **options):
  """Runs, and returns the exit code."""
  return run_lib.run(make_config(path, agent, **options), environment)


def resume(path, agent=None, environment=None, **options):
  """Goes on with a run, and returns the exit code."""
  config = make_config(path, agent, **options)
  config = dataclasses.replace(config, resume=True)
  return run_lib.run(config, environment)


def load(path):
  """Reads the checkpoint of a run."""
  return checkpoint.load(run_dir.RunDirectory(path).checkpoint_path)


def failure(path):
  """Returns what is said of a failure."""
  return run_dir.RunDirectory(path).failure_path.read_text(encoding='utf-8')
