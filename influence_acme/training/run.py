"""Runs the fused trainer to its step budget: logs, checkpoints, exit code.

0    the step budget is reached
1    it failed: failure.txt in the run directory has the traceback
130  Ctrl-C
143  SIGTERM
"""

import functools
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from influence_acme import environments
from influence_acme.rollouts import episode_log, episodes, records
from influence_acme.runs import (
  checkpoint,
  failures,
  identity,
  loggers,
  malloc,
  progress,
  random_keys,
  run_dir,
  signals,
)
from influence_acme.system import networks as networks_lib
from influence_acme.system import specs, summary
from influence_acme.system import wrap as wrap_lib
from influence_acme.training import config as config_lib
from influence_acme.training import loop


def run(
  config: config_lib.TrainConfig,
  environment: environments.FunctionalEnvironment | None = None,
) -> int:
  """Trains until the step budget is reached, or the run is stopped.

  Args:
    config: of the run.
    environment: to play in place of the config's game.

  Returns:
    The exit code, see above.

  Raises:
    ValueError: networks, environment and config do not go together.
    CheckpointError: the run cannot go on from its checkpoint.
    OSError: the run directory holds a run already, or nothing to resume, or
      cannot be written.
  """
  session = Session(config, environment)
  directory = session.directory
  directory.prepare(resume=config.resume)
  malloc.keep()
  session.restore()
  directory.write_config(session.settings())
  with signals.Signals() as received:
    with progress.Progress(directory, config.num_steps):
      try:
        session.train(lambda: received.number > 0)
      except Exception as error:  # noqa: BLE001  Told, with the exit code.
        failures.report_exception(directory.failure_path, 'train', error)
    return _conclude(session, received.number)


class Session:
  """The state of a run between its iterations."""

  def __init__(
    self,
    config: config_lib.TrainConfig,
    environment: environments.FunctionalEnvironment | None = None,
  ):
    """Makes everything that is needed; no file is touched."""
    self.config = config
    path = config.run_dir or time.strftime(f'runs/{config.game}/%Y%m%d-%H%M%S')
    self.directory = run_dir.RunDirectory(path)
    self._environment = environment or config.make_environment()
    self._networks = networks_lib.for_environment(
      self._environment, config.agent
    )
    self._trainer = loop.Trainer(
      self._environment,
      self._networks,
      config.agent,
      random_keys.learner_key(config.seed),
    )
    self._episodes = episodes.EpisodeBuffer(
      config.agent.batch_size, self._trainer.delay
    )
    self._counts: dict[str, Any] = {}
    self._saved: checkpoint.Checkpoint | None = None
    self._state: loop.State | None = None

  @property
  def environment_steps(self) -> int:
    """Global environment steps so far."""
    return int(self._counts.get(loggers.STEPS_KEY, 0))

  def identity(self) -> dict[str, Any]:
    """Returns the settings that a resumed run must share with this one."""
    wrapped = wrap_lib.wrap_environment(
      environments.MultiAgentEnvironment(self._environment), self.config.agent
    )
    return identity.make_identity(
      'InfluenceBuilder',
      specs.make_environment_spec(wrapped),
      {'environment': self.config.game},
    )

  def settings(self) -> dict[str, Any]:
    """Returns all settings by name, for `config.json`."""
    return {**self.identity(), **vars(self.config)}

  def restore(self) -> None:
    """Reads the checkpoint, if the run is resumed; CheckpointError if not."""
    if self.config.resume:
      path = self.directory.checkpoint_path
      self._saved = checkpoint.load(path, self.identity())
      self._counts = dict(self._saved.counts)

  def train(self, stopping: Any) -> None:
    """Iterates until the budget is reached, or `stopping()` is True."""
    learner_log = self.directory.make_logger('learner')
    actor_log = self.directory.make_logger('actor_0')
    try:
      self._start(actor_log)
      self.save()  # A run that cannot be saved had better not begin.
      saved = time.monotonic()
      while self.environment_steps < self.config.num_steps and not stopping():
        self._iterate(learner_log, actor_log)
        if time.monotonic() - saved > self.config.checkpoint_seconds:
          self.save()
          saved = time.monotonic()
      self.save()
    finally:
      self._trainer.close()
      learner_log.close()
      actor_log.close()

  def save(self) -> None:
    """Writes a checkpoint."""
    assert self._state is not None  # It has started.
    state = checkpoint.to_numpy(self._state)
    checkpoint.save(
      self.directory.checkpoint_path,
      checkpoint.Checkpoint(
        self.identity(),
        self._counts,
        _learner(state),
        {
          'rollout': state.rollout,
          'batch': state.batch,
          'episodes': self._episodes.save(),
        },
      ),
    )

  def _start(self, actor_log: loggers.Logger) -> None:
    """Makes the first state, new or from the checkpoint."""
    seed, first_step = self.config.seed, self.environment_steps
    indices = range(self.config.agent.batch_size)
    init = functools.partial(
      self._trainer.init,
      [
        jax.random.PRNGKey(random_keys.environment_seed(seed, i, first_step))
        for i in indices
      ],
      [random_keys.actor_key(seed, i, first_step) for i in indices],
    )
    state, parts = init()
    if self._saved is not None:
      state, parts = self._resume(state, init)
    self._state = state
    self._log_episodes(parts, actor_log, time.monotonic())
    self._counts[loggers.STEPS_KEY] = int(state.environment_steps)

  def _resume(
    self, new: loop.State, init: Callable[..., Any]
  ) -> tuple[loop.State, list[records.Episodes]]:
    """Returns the saved state; with new environments if none is saved."""
    assert self._saved is not None
    path = self.directory.checkpoint_path
    counts = self._saved.counts
    learner = checkpoint.restore(path, self._saved.learner, _learner(new))
    training = jax.tree_util.tree_map(jax.numpy.asarray, learner['state'])
    steps = int(counts[loggers.STEPS_KEY])
    updates = int(learner['counts']['learner_steps'])
    saved = self._saved.rollout
    if saved is None:
      return init(
        training=training,
        environment_steps=steps,
        learner_steps=updates,
      )
    fixed = {k: v for k, v in saved.items() if not k.startswith("['episodes']")}
    like = {'rollout': new.rollout, 'batch': new.batch}
    rollout = checkpoint.restore(path, fixed, like)
    self._episodes.restore(checkpoint.nested(saved, 'episodes'))
    state = loop.State(
      training,
      rollout['rollout'],
      rollout['batch'],
      np.int64(steps),
      np.int64(updates),
    )
    return state, []

  def _iterate(
    self, learner_log: loggers.Logger, actor_log: loggers.Logger
  ) -> None:
    """Iterates once, and logs it."""
    started = time.monotonic()
    assert self._state is not None
    steps = int(self._state.environment_steps)
    self._state, done = self._trainer.iterate(self._state)
    agent_ids, agent = self._networks.agent_ids, self.config.agent
    updates = int(self._state.learner_steps)
    summary.check_finite(done.metrics, agent_ids, updates)
    self._counts['learner_steps'] = updates
    self._counts['learner_walltime'] = (
      self._counts.get('learner_walltime', 0.0) + time.monotonic() - started
    )
    row = summary.summarise(done.metrics, done.batch, agent_ids, agent, steps)
    self._log_episodes(done.episodes, actor_log, started)
    self._counts[loggers.STEPS_KEY] = int(self._state.environment_steps)
    learner_log.write({**row, **self._counts})

  def _log_episodes(
    self,
    parts: list[records.Episodes],
    actor_log: loggers.Logger,
    started: float,
  ) -> None:
    """Logs the episodes that ended in an unroll."""
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


def _conclude(session: Session, signal_number: int) -> int:
  """Says how a run ended, and returns the exit code."""
  directory = session.directory
  path = directory.failure_path
  if path.exists():
    summary_line, *_ = path.read_text(encoding='utf-8').splitlines()
    print(
      f'{summary_line}\nThe traceback is in {path}. Once the cause is gone, go '
      f'on with --resume --run_dir={directory.path}.',
      file=sys.stderr,
    )
    return 1
  if session.environment_steps >= session.config.num_steps:
    return 0
  print(
    f'Stopped. Go on with --resume --run_dir={directory.path}.',
    file=sys.stderr,
  )
  return 128 + signal_number
