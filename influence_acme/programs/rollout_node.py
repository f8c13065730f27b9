"""The node that plays many environments at once."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from acme.utils import counting
from acme.utils.loggers import base as loggers_base

from influence_acme.agents.influence import rollout_actor
from influence_acme.programs import blocking, replays
from influence_acme.programs import experiment as experiment_lib
from influence_acme.rollouts import episode_log
from influence_acme.runs import loggers


class RolloutNode:
  """Plays `num_environments` environments, an unroll of them at a time."""

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    actor_id: int,
    replay: Mapping[str, blocking.StoppableReplay],
    learner: Any,
    after_item: Callable[[], None],
    *,
    in_turn: bool = False,
  ):
    """Makes the actor.

    Args:
      experiment: what is run.
      actor_id: the actor's number, from 0.
      replay: where it writes, by name; see `replays`.
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
    self._networks = experiment.network_factory(
      experiment.make_environment_spec()
    )
    self.actor = rollout_actor.RolloutActor(
      builder,
      self._networks,
      environment,
      seeds=[experiment.environment_seed(i, first_step) for i in numbers],
      keys=[experiment.actor_key(i, first_step) for i in numbers],
      variable_source=learner,
      replay=replays.for_builder(replay),
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
      row = episode_log.mean(episodes, self._networks)
      self._logger.write({**row, 'steps_per_second': rate, **counts})

  def close(self) -> None:
    """Closes the actor's logs, and its way into the replay."""
    self._logger.close()
    for client in self._replay.values():
      client.close()
