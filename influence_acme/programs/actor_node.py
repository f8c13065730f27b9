"""The node that plays."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import dm_env
from acme import adders, core, environment_loop, specs
from acme.utils import counting
from acme.utils.loggers import base as loggers_base
from acme.utils.observers import base as observers_base

from influence_acme.multiagent import observers
from influence_acme.programs import blocking, replays
from influence_acme.programs import experiment as experiment_lib
from influence_acme.runs import loggers

# From one look to the next at whether the program stops.
_POLL_SECS = 0.1


class ActorNode:
  """Plays episodes in an environment of its own."""

  def __init__(
    self,
    experiment: experiment_lib.Experiment,
    actor_id: int,
    replay: Mapping[str, blocking.StoppableReplay],
    learner: Any,
    after_step: Callable[[], None],
    *,
    in_turn: bool = False,
  ):
    """Makes the actor and its environment.

    Args:
      experiment: what is run.
      actor_id: the actor's number, from 0.
      replay: where it writes, by name; see `replays`.
      learner: the learner node, or a client of it.
      after_step: called after every environment step.
      in_turn: whether all nodes are called in turn. Else the actor fetches
        parameters in the background, and counts about once a second.
    """
    self._replay = replay
    first_step = learner.first_step()
    environment = experiment.environment_factory(
      experiment.environment_seed(actor_id, first_step)
    )
    builder = experiment.builder_factory(loggers_base.NoOpLogger())
    watched = observers.InfluenceObserver()
    adder = builder.make_adder(replays.for_builder(replay))
    if isinstance(adder, adders.Adder):
      adder = watched.watch(adder)
    actor = builder.make_actor(
      experiment.actor_key(actor_id, first_step),
      experiment.network_factory(specs.make_environment_spec(environment)),
      adder,
      learner,
    )
    self._environment = environment
    self.actor: core.Actor = actor
    self._logger = experiment.directory.make_logger(f'actor_{actor_id}')
    time_delta = -1 if in_turn else 1
    budget = None if in_turn else experiment.num_steps
    counter = counting.Counter(learner, time_delta=time_delta)
    measures: list[observers_base.EnvLoopObserver] = []
    if isinstance(environment.reward_spec(), Mapping):
      measures = observers.make_observers(environment.action_spec(), watched)
    self._loop = environment_loop.EnvironmentLoop(
      environment,
      actor,
      counting.Counter(counter, 'actor', time_delta=time_delta),
      loggers_base.NoOpLogger(),
      should_update=not in_turn,
      observers=[*measures, _AfterStep(counter, after_step, budget)],
    )

  @property
  def parts(self) -> dict[str, Any]:
    """What must be saved to go on exactly, by name."""
    return {'actor': self.actor, 'environment': self._environment}

  def run(self) -> None:
    """Plays until the program stops."""
    try:
      with contextlib.suppress(blocking.StoppedError):
        while True:
          self.play()
    finally:
      self.close()

  def play(self) -> None:
    """Plays and logs one episode.

    Raises:
      StoppedError: the program stops.
    """
    self._logger.write(self._loop.run_episode())

  def close(self) -> None:
    """Closes the actor's logs, and its way into the replay."""
    self._logger.close()
    for client in self._replay.values():
      client.close()


class _AfterStep(observers_base.EnvLoopObserver):
  """Counts environment steps, and calls back after each."""

  def __init__(
    self,
    counter: counting.Counter,
    after_step: Callable[[], None],
    budget: int | None,
  ):
    """Makes the observer.

    Args:
      counter: a child of the program's.
      after_step: raises `StoppedError` once the program stops.
      budget: of all actors, at which to wait for that; None to play on.
    """
    self._counter = counter
    self._after_step = after_step
    self._budget = budget

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """A reset is no step."""
    del env, timestep

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Takes note of one step."""
    del env, timestep, action
    counts = self._counter.increment(**{loggers.STEPS_KEY: 1})
    self._after_step()
    # The learner ends the run, but it may be in a long step, or compiling.
    while self._budget and counts[loggers.STEPS_KEY] >= self._budget:
      time.sleep(_POLL_SECS)
      self._after_step()
      counts = self._counter.get_counts()

  def get_metrics(self) -> dict[str, float]:
    """Adds nothing to what is logged."""
    return {}
