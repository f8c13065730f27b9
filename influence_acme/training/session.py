"""Keeps a run's state between iterations: counts, logs, checkpoints."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
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
  save_clock,
)
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import summary, update
from influence_acme.system import types as system_types
from influence_acme.training import accelerator, loop, processes, saving

# (policy, first step of the run) -> rollout in B environments, and a function
# that closes these.
MakeRollout = Callable[
  [system_types.JointPolicy, int], tuple[unroll.Rollout, Callable[[], None]]
]


class Session:
  """A run of the fused trainer."""

  def __init__(
    self,
    agent: config_lib.InfluenceConfig,
    networks: networks_lib.InfluenceNetworks,
    policy: system_types.JointPolicy,
    make_rollout: MakeRollout,
    directory: run_dir.RunDirectory,
    identity: Mapping[str, Any],
    *,
    num_steps: int,
    seed: int,
    checkpoint_seconds: float,
    mesh: jax.sharding.Mesh | None = None,
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
      mesh: of the devices; None for one.
      allow_changes: names of settings that need not be shared.
      logger_factory: as for `loggers.make_logger`.
    """
    self.directory = directory
    self.num_steps = num_steps
    self._agent = agent
    self._networks = networks
    self._policy = policy
    self._make_rollout = make_rollout
    self._identity = identity
    self._seed = seed
    self._checkpoint_seconds = checkpoint_seconds
    self._mesh = mesh
    self._allow_changes = allow_changes
    self._logger_factory = logger_factory
    self._episodes = episodes.EpisodeBuffer(agent.batch_size, policy.delay)
    self._counts: dict[str, Any] = {}
    # Of the checkpoint to go on from.
    self._saved_rollout: Mapping[str, np.ndarray] | None = None
    self._training: update.TrainingState | None = None
    self._learner_steps = 0
    self._state: loop.State | None = None

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

  def train(self, stopping: Callable[[], bool]) -> None:
    """Iterates until the step budget is reached, or `stopping()` is True.

    Raises:
      CheckpointError: the run cannot be resumed, or not be saved.
      FloatingPointError: a number of an environment, a reward, a loss or a
        gradient is not finite.
    """
    with contextlib.ExitStack() as stack:
      learner_log, actor_log = (
        stack.enter_context(contextlib.closing(self._make_logger(label)))
        for label in ('learner', 'actor_0')
      )
      rollout, close = self._make_rollout(self._policy, self.environment_steps)
      stack.callback(close)
      trainer = self._make_trainer(rollout)
      stack.callback(trainer.close)  # Before the environments close.
      self._start(trainer, actor_log)
      self._save()  # A run that cannot be saved had better not begin.
      clock = save_clock.SaveClock(self.directory, self._checkpoint_seconds)
      while self.environment_steps < self.num_steps and not stopping():
        self._iterate(trainer, learner_log, actor_log)
        if processes.agree(processes.is_first() and clock.is_due()):
          self._save()
      self._save()

  def _make_logger(self, label: str) -> loggers.Logger:
    """Makes a logger; it is silent in all processes but the first."""
    if processes.is_first():
      return self.directory.make_logger(label, self._logger_factory)
    return loggers.make_silent()

  def _make_trainer(self, rollout: unroll.Rollout) -> loop.Trainer:
    on_cpu = jax.default_backend() == 'cpu'
    key = random_keys.learner_key(self._seed)
    parts = rollout, self._networks, self._agent, key
    if on_cpu and self._mesh is None:
      return loop.Trainer(*parts)
    num_iterations = 1 if on_cpu else accelerator.ITERATIONS
    return accelerator.Trainer(*parts, self._mesh, num_iterations)

  def _first_training(self) -> update.TrainingState:
    key = random_keys.learner_key(self._seed)
    return update.init(self._networks.init(key), self._agent)

  def _save(self) -> None:
    """Writes a checkpoint."""
    assert self._state is not None
    path = self.directory.checkpoint_path
    saving.save(path, self._identity, self._counts, self._state, self._episodes)

  def _start(self, trainer: loop.Trainer, actor_log: loggers.Logger) -> None:
    """Makes the first state, new or from the checkpoint."""
    started = time.monotonic()
    first_step = self.environment_steps
    of_each = [
      (self._seed, i, first_step) for i in range(self._agent.batch_size)
    ]
    seeds = [random_keys.environment_seed(*x) for x in of_each]
    state, parts = trainer.init(
      [jax.random.PRNGKey(seed) for seed in seeds],
      [random_keys.actor_key(*x) for x in of_each],
      self._training,
      first_step,
      self._learner_steps,
    )
    finite.check_episodes(parts, self._networks.agent_ids)
    if self._saved_rollout is not None and saving.has_environments(state):
      # What was just played is dropped: it gave the shapes.
      path, parts = self.directory.checkpoint_path, []
      state = saving.restore_rollout(
        path, self._saved_rollout, state, self._episodes
      )._replace(environment_steps=np.int64(first_step))
    self._check_rewards(state, self._learner_steps)
    self._state = state
    self._log_episodes(parts, actor_log, started)

  def _check_rewards(self, state: loop.State, learner_steps: int) -> None:
    summary.check_rewards(
      processes.to_host(state.batch.reward),
      self._networks.agent_ids,
      learner_steps,
    )

  def _iterate(
    self,
    trainer: loop.Trainer,
    learner_log: loggers.Logger,
    actor_log: loggers.Logger,
  ) -> None:
    """Iterates once, and logs it."""
    started = time.monotonic()
    assert self._state is not None
    steps = int(self._state.environment_steps)
    state, done = trainer.iterate(self._state)
    agent_ids = self._networks.agent_ids
    learner_steps = int(self._state.learner_steps)
    finite.check_episodes(done.episodes, agent_ids)
    summary.check_finite(done.metrics, agent_ids, learner_steps)
    self._check_rewards(state, learner_steps)
    self._state = state
    row = summary.summarise(
      done.metrics, done.batch, agent_ids, self._agent, steps
    )
    self._counts['learner_steps'] = int(state.learner_steps)
    before = self._counts.get('learner_walltime', 0.0)
    self._counts['learner_walltime'] = before + time.monotonic() - started
    self._log_episodes(done.episodes, actor_log, started)
    learner_log.write({**row, **self._counts})

  def _log_episodes(
    self,
    parts: list[records.Episodes],
    actor_log: loggers.Logger,
    started: float,
  ) -> None:
    """Counts the steps of an unroll, and logs the episodes that ended."""
    ended = [episode for part in parts for episode in self._episodes.add(part)]
    num_steps = sum(int(np.sum(part.is_step)) for part in parts)
    counts = self._counts
    counts['actor_steps'] = counts.get('actor_steps', 0) + num_steps
    counts['actor_episodes'] = counts.get('actor_episodes', 0) + len(ended)
    counts[loggers.STEPS_KEY] = self.environment_steps + num_steps
    if ended:
      rate = num_steps / (time.monotonic() - started)
      row = episode_log.mean(ended, self._networks)
      actor_log.write({**row, 'steps_per_second': rate, **counts})
