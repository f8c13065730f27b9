"""The node that plays many environments at once."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from acme.utils import counting
from acme.utils.loggers import base as loggers_base

from influence_acme.agents.influence import rollout_actor
from influence_acme.metrics import coordination
from influence_acme.metrics import episode as episode_metrics
from influence_acme.programs import blocking, loggers, replays
from influence_acme.programs import experiment as experiment_lib
from influence_acme.rollouts import episodes as episodes_lib


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
      measured = [measure(episode, self._networks) for episode in episodes]
      self._logger.write(
        {**_mean(measured), 'steps_per_second': rate, **counts}
      )

  def close(self) -> None:
    """Closes the actor's logs, and its way into the replay."""
    self._logger.close()
    for client in self._replay.values():
      client.close()


def measure(episode: episodes_lib.Episode, networks: Any) -> dict[str, Any]:
  """Returns what is logged of an episode, as an environment loop logs it.

  Args:
    episode: that has ended.
    networks: of the population that played it.
  """
  agent_ids = networks.agent_ids
  returns = episode.totals.returns.tolist()
  measured = {
    'episode_length': episode.totals.num_steps,
    'episode_return': dict(zip(agent_ids, returns, strict=True)),
    **episode_metrics.of_group(episode.totals, agent_ids),
    **episode_metrics.of_influence(episode.influence),
  }
  if episode.choices is None:
    return measured
  choices = coordination.make_choices(
    episode.choices, networks.num_actions, networks.num_symbols
  )
  return {**measured, **coordination.of_choices(choices, episode.influence)}


def _mean(measured: list[dict[str, Any]]) -> dict[str, Any]:
  """Returns the mean of each number over the episodes that have it.

  What has no meaning in an episode is NaN, and left out; what has none in any
  of them stays NaN.
  """
  means: dict[str, Any] = {}
  for name in dict.fromkeys(name for each in measured for name in each):
    values = [each[name] for each in measured if name in each]
    if isinstance(values[0], Mapping):
      means[name] = _mean(values)
    else:
      defined = [value for value in values if not math.isnan(value)]
      means[name] = float(np.mean(defined)) if defined else math.nan
  return means
