"""The node that plays many environments at once."""

import contextlib
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from acme.utils import counting
from acme.utils.loggers import base as loggers_base

from influence_acme.multiagent import observers
from influence_acme.programs import blocking, loggers
from influence_acme.programs import experiment as experiment_lib
from influence_acme.rollouts import actor as rollout_actor


class RolloutNode:
  """Plays `num_environments` environments, an unroll of them at a time."""

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    actor_id: int,
    replay: blocking.StoppableReplay,
    learner: Any,
    after_item: Callable[[], None],
    *,
    in_turn: bool = False,
  ):
    """Makes the actor.

    Args:
      experiment: what is run.
      actor_id: the actor's number, from 0.
      replay: where it writes.
      learner: the learner node, or a client of it.
      after_item: called after every sequence that is written.
      in_turn: whether all nodes are called in turn. Else it fetches the
        parameters itself, and counts about once a second.
    """
    self._replay = replay
    self._after_item = after_item
    self._in_turn = in_turn
    first_step = learner.first_step()
    num = experiment.num_environments
    numbers = range(actor_id * num, (actor_id + 1) * num)
    environment = experiment.functional_environment
    assert environment is not None  # The experiment has checked it.
    builder = experiment.builder_factory(loggers_base.NoOpLogger())
    self.actor = rollout_actor.RolloutActor(
      builder,
      experiment.network_factory(experiment.make_environment_spec()),
      environment,
      seeds=[experiment.environment_seed(i, first_step) for i in numbers],
      keys=[experiment.actor_key(i, first_step) for i in numbers],
      variable_source=learner,
      replay=replay,
    )
    self._logger = experiment.directory.make_logger(f'actor_{actor_id}')
    time_delta = -1 if in_turn else 1
    self._counter = counting.Counter(learner, time_delta=time_delta)
    self._own_counter = counting.Counter(
      self._counter, 'actor', time_delta=time_delta
    )

  @property
  def parts(self) -> dict[str, Any]:
    """What must be saved to go on exactly, by name."""
    return {'actor': self.actor}

  def run(self) -> None:
    """Plays until the program stops."""
    try:
      with contextlib.suppress(blocking.StoppedError):
        while True:
          self.play()
    finally:
      self.close()

  def play(self) -> None:
    """Plays one unroll, and logs the episodes that ended in it.

    Raises:
      StoppedError: the program stops.
    """
    started = time.monotonic()
    if not self._in_turn:
      self.actor.update(wait=True)
    sequences, num_steps, episodes = self.actor.play()
    self._counter.increment(**{loggers.STEPS_KEY: num_steps})
    counts = self._own_counter.increment(
      steps=num_steps, episodes=len(episodes)
    )
    self.actor.write(sequences, self._after_item)
    if episodes:
      rate = num_steps / (time.monotonic() - started)
      self._logger.write(
        {**_mean(episodes), 'steps_per_second': rate, **counts}
      )

  def close(self) -> None:
    """Closes the actor's logs, and its way into the replay."""
    self._logger.close()
    self._replay.close()


def _mean(episodes: list[rollout_actor.Episode]) -> dict[str, Any]:
  """Returns the mean episode, as an environment loop logs one."""
  agent_ids = episodes[0].episode_return
  social = [
    observers.measure_returns(e.episode_return, e.episode_length)
    for e in episodes
  ]
  return {
    'episode_length': float(np.mean([e.episode_length for e in episodes])),
    'episode_return': {
      agent_id: float(np.mean([e.episode_return[agent_id] for e in episodes]))
      for agent_id in agent_ids
    },
    **{name: _mean_of_defined([s[name] for s in social]) for name in social[0]},
  }


def _mean_of_defined(values: list[float]) -> float:
  """Returns the mean of what is not NaN, NaN if everything is."""
  defined = [value for value in values if not math.isnan(value)]
  return float(np.mean(defined)) if defined else math.nan
