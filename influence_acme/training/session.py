"""Keeps a run's state between iterations: counts, logs, checkpoints."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from influence_acme.rollouts import episode_log, episodes, records, unroll
from influence_acme.runs import checkpoint, loggers, random_keys, run_dir
from influence_acme.system import config as config_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import summary
from influence_acme.system import types as system_types
from influence_acme.training import accelerator, loop

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
    self._episodes = episodes.EpisodeBuffer(agent.batch_size, policy.delay)
    self._counts: dict[str, Any] = {}
    self._saved: checkpoint.Checkpoint | None = None
    self._state: loop.State | None = None

  @property
  def environment_steps(self) -> int:
    """Global environment steps so far."""
    return int(self._counts.get(loggers.STEPS_KEY, 0))

  def restore(self) -> None:
    """Reads the checkpoint to go on from; CheckpointError if it cannot."""
    path = self.directory.checkpoint_path
    self._saved = checkpoint.load(path, self._identity)
    self._counts = dict(self._saved.counts)

  def train(self, stopping: Callable[[], bool]) -> None:
    """Iterates until the step budget is reached, or `stopping()` is True.

    Raises:
      CheckpointError: the run cannot be resumed, or not be saved.
      FloatingPointError: a loss or gradient is not finite.
    """
    rollout, close = self._make_rollout(self._policy, self.environment_steps)
    on_cpu = jax.default_backend() == 'cpu'
    make_trainer = loop.Trainer if on_cpu else accelerator.Trainer
    trainer = make_trainer(
      rollout,
      self._networks,
      self._agent,
      random_keys.learner_key(self._seed),
    )
    learner_log = self.directory.make_logger('learner')
    actor_log = self.directory.make_logger('actor_0')
    try:
      self._start(trainer, actor_log)
      self._save()  # A run that cannot be saved had better not begin.
      saved = time.monotonic()
      while self.environment_steps < self.num_steps and not stopping():
        self._iterate(trainer, learner_log, actor_log)
        if time.monotonic() - saved > self._checkpoint_seconds:
          self._save()
          saved = time.monotonic()
      self._save()
    finally:
      trainer.close()
      close()
      learner_log.close()
      actor_log.close()

  def _save(self) -> None:
    """Writes a checkpoint."""
    state = checkpoint.to_numpy(self._state)
    checkpoint.save(
      self.directory.checkpoint_path,
      checkpoint.Checkpoint(
        self._identity,
        self._counts,
        _learner(state),
        {
          'rollout': state.rollout,
          'batch': state.batch,
          'episodes': self._episodes.save(),
        },
      ),
    )

  def _start(self, trainer: loop.Trainer, actor_log: loggers.Logger) -> None:
    """Makes the first state, new or from the checkpoint."""
    started = time.monotonic()
    first_step = self.environment_steps
    indices = range(self._agent.batch_size)
    init = functools.partial(
      trainer.init,
      [
        jax.random.PRNGKey(
          random_keys.environment_seed(self._seed, i, first_step)
        )
        for i in indices
      ],
      [random_keys.actor_key(self._seed, i, first_step) for i in indices],
    )
    self._state, parts = init() if self._saved is None else self._resume(init)
    self._log_episodes(parts, actor_log, started)

  def _resume(
    self, init: Callable[..., Any]
  ) -> tuple[loop.State, list[records.Episodes]]:
    """Returns the saved state; with new environments if none are saved."""
    assert self._saved is not None
    path, saved = self.directory.checkpoint_path, self._saved.rollout
    new, parts = init()
    learner = checkpoint.restore(path, self._saved.learner, _learner(new))
    training = jax.tree_util.tree_map(jax.numpy.asarray, learner['state'])
    steps = self.environment_steps
    updates = int(learner['counts']['learner_steps'])
    fixed = {
      k: v for k, v in (saved or {}).items() if not k.startswith("['episodes']")
    }
    # Environments on the host, and actors of a program, do not save theirs.
    if saved is None or new.rollout.state.environment == ():
      return init(
        training=training, environment_steps=steps, learner_steps=updates
      )
    like = {'rollout': new.rollout, 'batch': new.batch}
    rollout = checkpoint.restore(path, fixed, like)
    self._episodes.restore(checkpoint.nested(saved, 'episodes'))
    del parts  # Of environments that were started for their shapes alone.
    return loop.State(
      training,
      rollout['rollout'],
      rollout['batch'],
      np.int64(steps),
      np.int64(updates),
    ), []

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
    summary.check_finite(done.metrics, agent_ids, int(state.learner_steps))
    self._state = state
    row = summary.summarise(
      done.metrics, done.batch, agent_ids, self._agent, steps
    )
    self._counts['learner_steps'] = int(state.learner_steps)
    self._counts['learner_walltime'] = (
      self._counts.get('learner_walltime', 0.0) + time.monotonic() - started
    )
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


def _learner(state: loop.State) -> dict[str, Any]:
  """Returns the part of a state that every learner of these agents saves."""
  return {
    'state': state.training,
    'counts': {
      'learner_steps': np.int32(state.learner_steps),
      'environment_steps': np.int64(state.environment_steps),
    },
  }
