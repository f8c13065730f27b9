"""Keeps a run's state between iterations: counts, logs, checkpoints."""

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.rollouts import (
  episode_log,
  episodes,
  finite,
  records,
  unroll,
)
from influence_acme.runs import (
  checkpoint,
  loggers,
  random_keys,
  run_dir,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import summary, update
from influence_acme.system import types as system_types
from influence_acme.training import loop, processes, rollout_makers, saving


class Session:
  """A run of the fused trainer; `seeds.train` takes it through its steps."""

  def __init__(
    self,
    agent: config_lib.InfluenceConfig,
    networks: networks_lib.InfluenceNetworks,
    policy: system_types.JointPolicy,
    make_rollout: rollout_makers.MakeRollout,
    directory: run_dir.RunDirectory,
    identity: Mapping[str, Any],
    *,
    num_steps: int,
    seed: int,
    checkpoint_seconds: float,
    allow_changes: Iterable[str] = (),
    logger_factory: loggers.LoggerFactory | None = None,
  ):
    """Takes what the run is made from; no file is touched.

    Args:
      agent: configuration of the agents.
      networks: of the population.
      policy: of the population.
      make_rollout: of the environments.
      directory: of the run.
      identity: settings that a resumed run must share with this one.
      num_steps: environment steps at which the run ends.
      seed: of all randomness.
      checkpoint_seconds: between two checkpoints.
      allow_changes: names of settings that need not be shared.
      logger_factory: as for `loggers.make_logger`.
    """
    self.directory = directory
    self.num_steps = num_steps
    self.seed = seed
    self.checkpoint_seconds = checkpoint_seconds
    self.agent = agent
    self.networks = networks
    self._policy = policy
    self._make_rollout = make_rollout
    self._identity = identity
    self._allow_changes = allow_changes
    self._logger_factory = logger_factory
    self._episodes = episodes.EpisodeBuffer(agent.batch_size, policy.delay)
    self._counts: dict[str, Any] = {}
    # Of the checkpoint to go on from.
    self._saved_rollout: Mapping[str, np.ndarray] | None = None
    self._training: update.TrainingState | None = None
    self._learner_steps = 0
    # While it trains.
    self._state: loop.State | None = None
    self._learner_log: loggers.Logger = loggers.make_silent()
    self._actor_log: loggers.Logger = loggers.make_silent()

  @property
  def environment_steps(self) -> int:
    """Global environment steps so far."""
    return int(self._counts.get(loggers.STEPS_KEY, 0))

  def restore(self, has_changed: bool = False) -> None:
    """Reads the checkpoint to go on from; no file is touched.

    Args:
      has_changed: whether the experiment is another one, so that environments
        and the batch that waits are made anew.

    Raises:
      CheckpointError: there is none, or its learner does not fit.
    """
    path = self.directory.checkpoint_path
    saved = checkpoint.load(path, self._identity, self._allow_changes)
    shapes = jax.eval_shape(self._first_training)
    zeros = jax.tree_util.tree_map(lambda x: np.zeros(x.shape, x.dtype), shapes)
    learner = checkpoint.restore(
      path, saved.learner, saving.learner_tree(zeros, 0, 0)
    )
    self._training = jax.tree_util.tree_map(jnp.asarray, learner['state'])
    self._learner_steps = int(learner['counts']['learner_steps'])
    self._saved_rollout = None if has_changed else saved.rollout
    self._counts = dict(saved.counts)

  @property
  def is_done(self) -> bool:
    """True if the step budget is reached."""
    return self.environment_steps >= self.num_steps

  @property
  def state(self) -> loop.State:
    """State that the next iteration goes on from, once it is started."""
    assert self._state is not None
    return self._state

  def open_logs(self, stack: contextlib.ExitStack) -> None:
    """Opens the logs, which `stack` closes."""
    self._learner_log, self._actor_log = (
      stack.enter_context(contextlib.closing(self._make_logger(label)))
      for label in ('learner', 'actor_0')
    )

  def open_rollout(self, stack: contextlib.ExitStack) -> unroll.Rollout:
    """Makes the environments' rollout; `stack` closes the environments."""
    rollout, close = self._make_rollout(self._policy, self.environment_steps)
    stack.callback(close)
    return rollout

  def _make_logger(self, label: str) -> loggers.Logger:
    """Makes a logger; it is silent in all processes but the first."""
    if processes.is_first():
      return self.directory.make_logger(label, self._logger_factory)
    return loggers.make_silent()

  def _first_training(self) -> update.TrainingState:
    key = random_keys.learner_key(self.seed)
    return update.init(self.networks.init(key), self.agent)

  def save(self) -> None:
    """Writes a checkpoint.

    Raises:
      CheckpointError: it could not be written; the old one is as it was.
    """
    path = self.directory.checkpoint_path
    saving.save(path, self._identity, self._counts, self.state, self._episodes)

  def start(self, trainer: loop.Trainer) -> None:
    """Makes the first state, new or from the checkpoint.

    Args:
      trainer: of this run's seed.

    Raises:
      CheckpointError: the run cannot be resumed.
      FloatingPointError: a number of an environment is not finite.
    """
    started = time.monotonic()
    first_step = self.environment_steps
    of_each = [(self.seed, i, first_step) for i in range(self.agent.batch_size)]
    seeds = [random_keys.environment_seed(*x) for x in of_each]
    state, parts = trainer.init(
      [jax.random.PRNGKey(seed) for seed in seeds],
      [random_keys.actor_key(*x) for x in of_each],
      self._training,
      first_step,
      self._learner_steps,
    )
    finite.check_episodes(parts, self.networks.agent_ids)
    if self._saved_rollout is not None and saving.has_environments(state):
      # What was just played is dropped: it gave the shapes.
      path, parts = self.directory.checkpoint_path, []
      state = saving.restore_rollout(
        path, self._saved_rollout, state, self._episodes
      )._replace(environment_steps=np.int64(first_step))
    self._check_rewards(state, self._learner_steps)
    self._state = state
    self._log_episodes(parts, time.monotonic() - started)

  def _check_rewards(self, state: loop.State, learner_steps: int) -> None:
    summary.check_rewards(
      processes.to_host(state.batch.reward),
      self.networks.agent_ids,
      learner_steps,
    )

  def take(
    self, state: loop.State, done: loop.Iteration, seconds: float
  ) -> None:
    """Goes on to the state of an iteration, and logs it.

    Args:
      state: to go on from.
      done: what the iteration did.
      seconds: that it took.

    Raises:
      FloatingPointError: a number of an environment, a reward, a loss or a
        gradient is not finite.
    """
    steps = int(self.state.environment_steps)
    agent_ids = self.networks.agent_ids
    learner_steps = int(self.state.learner_steps)
    finite.check_episodes(done.episodes, agent_ids)
    summary.check_finite(done.metrics, agent_ids, learner_steps)
    self._check_rewards(state, learner_steps)
    self._state = state
    row = summary.summarise(
      done.metrics, done.batch, agent_ids, self.agent, steps
    )
    self._counts['learner_steps'] = int(state.learner_steps)
    before = self._counts.get('learner_walltime', 0.0)
    self._counts['learner_walltime'] = before + seconds
    self._log_episodes(done.episodes, seconds)
    self._learner_log.write({**row, **self._counts})

  def _log_episodes(
    self, parts: list[records.Episodes], seconds: float
  ) -> None:
    """Counts the steps of an unroll, and logs the episodes that ended."""
    ended = [episode for part in parts for episode in self._episodes.add(part)]
    num_steps = sum(int(np.sum(part.is_step)) for part in parts)
    counts = self._counts
    counts['actor_steps'] = counts.get('actor_steps', 0) + num_steps
    counts['actor_episodes'] = counts.get('actor_episodes', 0) + len(ended)
    counts[loggers.STEPS_KEY] = self.environment_steps + num_steps
    if ended:
      row = episode_log.mean(ended, self.networks)
      rate = num_steps / seconds
      self._actor_log.write({**row, 'steps_per_second': rate, **counts})
