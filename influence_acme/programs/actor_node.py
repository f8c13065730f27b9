"""The node that plays: step by step, or many environments at once."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import dm_env
from acme import adders, environment_loop
from acme.utils import counting
from acme.utils.loggers import base as loggers_base
from acme.utils.observers import base as observers_base

from influence_acme.agents.influence import rollout_actor
from influence_acme.multiagent import observers
from influence_acme.programs import blocking, replays
from influence_acme.programs import experiment as experiment_lib
from influence_acme.rollouts import episode_log
from influence_acme.runs import loggers
from influence_acme.system import specs as multiagent_specs

# From one look to the next at whether the program stops.
_POLL_SECS = 0.1
# From one exchange of counts with the learner to the next.
_COUNT_SECS = 1.0

# Plays an episode, or an unroll, and returns its row for the log, if any.
Play = Callable[[], Mapping[str, Any] | None]


class ActorNode:
  """Plays and logs until the program stops."""

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    actor_id: int,
    replay: Mapping[str, blocking.StoppableReplay],
    learner: Any,
    stop_if_told: Callable[[], None],
  ):
    """Makes the actor, with environments of its own.

    Args:
      experiment: what is run.
      actor_id: the actor's number, from 0.
      replay: where it writes, by name; see `replays`.
      learner: the learner node, or a client of it.
      stop_if_told: raises `StoppedError` once the program stops; called after
        every environment step, or every sequence that is written.
    """
    make = _make_unroll if experiment.num_environments else _make_episode
    self._play, self._close = make(
      experiment, actor_id, replay, learner, stop_if_told
    )
    self._logger = experiment.directory.make_logger(
      f'actor_{actor_id}', experiment.logger_factory
    )
    self._replay = replay

  def run(self) -> None:
    """Plays until the program stops; then closes all that it has made."""
    try:
      with contextlib.suppress(blocking.StoppedError):
        while True:
          row = self._play()
          if row is not None:
            self._logger.write(row)
    finally:
      self._close()
      self._logger.close()
      for client in self._replay.values():
        client.close()


def _make_episode(
  experiment: experiment_lib.Experiment,
  actor_id: int,
  replay: Mapping[str, blocking.StoppableReplay],
  learner: Any,
  stop_if_told: Callable[[], None],
) -> tuple[Play, Callable[[], None]]:
  """Returns what plays an episode of one environment, and what closes that."""
  first_step = learner.enter(actor_id)
  builder = experiment.builder_factory(loggers_base.NoOpLogger())
  watched = observers.InfluenceObserver()
  counter = counting.Counter(learner, time_delta=_COUNT_SECS)
  measures: list[observers_base.EnvLoopObserver] = []
  with contextlib.ExitStack() as stack:
    environment = experiment.environment_factory(
      experiment.environment_seed(actor_id, first_step)
    )
    stack.callback(environment.close)
    adder = builder.make_adder(replays.for_builder(replay))
    if isinstance(adder, adders.Adder):
      adder = watched.watch(adder)
    actor = builder.make_actor(
      experiment.actor_key(actor_id, first_step),
      experiment.network_factory(
        multiagent_specs.make_environment_spec(environment)
      ),
      adder,
      learner,
    )
    if isinstance(environment.reward_spec(), Mapping):
      measures = observers.make_observers(environment.action_spec(), watched)
    loop = environment_loop.EnvironmentLoop(
      environment,
      actor,
      counting.Counter(counter, 'actor', time_delta=_COUNT_SECS),
      loggers_base.NoOpLogger(),
      observers=[
        *measures,
        _AfterStep(counter, stop_if_told, experiment.num_steps),
      ],
    )
    return loop.run_episode, stack.pop_all().close


class _AfterStep(observers_base.EnvLoopObserver):
  """Counts environment steps, and stops after one if told to."""

  def __init__(
    self,
    counter: counting.Counter,
    stop_if_told: Callable[[], None],
    budget: int,
  ):
    """Makes the observer; at the budget it waits until told to stop."""
    self._counter = counter
    self._stop_if_told = stop_if_told
    self._budget = budget

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Counts nothing: a reset is not a step."""
    del env, timestep

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Counts one step."""
    del env, timestep, action
    counts = self._counter.increment(**{loggers.STEPS_KEY: 1})
    self._stop_if_told()
    # The learner ends the run, but it may be in a long step, or compiling.
    while counts[loggers.STEPS_KEY] >= self._budget:
      time.sleep(_POLL_SECS)
      self._stop_if_told()
      counts = self._counter.get_counts()

  def get_metrics(self) -> dict[str, float]:
    """Adds nothing to the log."""
    return {}


def _make_unroll(
  experiment: experiment_lib.Experiment,
  actor_id: int,
  replay: Mapping[str, blocking.StoppableReplay],
  learner: Any,
  stop_if_told: Callable[[], None],
) -> tuple[Play, Callable[[], None]]:
  """Returns what plays an unroll of `num_environments`; nothing is to close."""
  first_step = learner.enter(actor_id)
  num = experiment.num_environments
  numbers = range(actor_id * num, (actor_id + 1) * num)
  environment = experiment.functional_environment
  assert environment is not None  # The experiment has checked it.
  networks = experiment.network_factory(experiment.make_environment_spec())
  actor = rollout_actor.RolloutActor(
    experiment.builder_factory(loggers_base.NoOpLogger()),
    networks,
    environment,
    seeds=[experiment.environment_seed(i, first_step) for i in numbers],
    keys=[experiment.actor_key(i, first_step) for i in numbers],
    variable_source=learner,
    replay=replays.for_builder(replay),
  )
  counter = counting.Counter(learner, time_delta=_COUNT_SECS)
  own_counter = counting.Counter(counter, 'actor', time_delta=_COUNT_SECS)

  def play() -> Mapping[str, Any] | None:
    started = time.monotonic()
    actor.update(wait=True)
    sequences, num_steps, episodes = actor.play()
    counter.increment(**{loggers.STEPS_KEY: num_steps})
    counts = own_counter.increment(steps=num_steps, episodes=len(episodes))
    actor.write(sequences, stop_if_told)
    if not episodes:
      return None
    rate = num_steps / (time.monotonic() - started)
    row = episode_log.mean(episodes, networks)
    return {**row, 'steps_per_second': rate, **counts}

  return play, lambda: None
