"""The agent's parts alone: acting, learning, and compiling either.

They are those of a training run, but nothing else runs beside them: parameters
stay as they are, what is played is not written to the replay, and all that is
learned from is one batch.
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import acme
import jax
from acme import adders
from acme.utils import counting, loggers

from benchmarks import population as population_lib
from benchmarks import settings, timing
from influence_acme.agents.influence import rollout_actor
from influence_acme.rollouts import unroll
from influence_acme.system import update

Ready = Callable[[], None]


def act_and_learn(
  workload: settings.Workload, plan: settings.Plan, ready: Ready
) -> dict[str, Any]:
  """Measures vectorised acting, and learning, and how long both compile.

  Every repeat compiles anew, and measures what it has compiled. Environments
  and the influence reward are part of acting.

  Returns:
    'acting' and 'learning': `timing.Rates` of environment steps; and
    'compile_acting' and 'compile_learning': seconds in each repeat, by which
    the first call takes longer than the next one, so that tracing is in them.
  """
  population = population_lib.Population(workload)
  ready()
  batch = None
  found: dict[str, list[Any]] = {}

  def measure(name: str, work: Callable[[], float]) -> None:
    seconds = timing.first_call_seconds(work)
    found.setdefault(f'compile_{name}', []).append(seconds)
    found.setdefault(name, []).append(timing.measure(work, 1, plan.seconds))

  for _ in range(plan.repeats):
    _forget_what_is_compiled()
    actor = _make_rollout_actor(population, workload)
    measure('acting', _make_play(actor))
    batch = batch or _sample(population, actor)
    measure('learning', _make_learn(population, workload, batch))
  return {
    **found,
    'acting': timing.merge(found['acting']),
    'learning': timing.merge(found['learning']),
  }


def compare_variants(
  workload: settings.Workload, plan: settings.Plan, ready: Ready
) -> dict[str, Any]:
  """Measures an unroll and a learner step in turn, for each of the variants.

  Their repeats take turns: what slows the machine down slows all of them.

  Returns:
    Variant -> `timing.Rates` of environment steps, acted and learned from.
  """
  works = {}
  for variant in plan.variants:
    works[variant] = _make_both(dataclasses.replace(workload, variant=variant))
    works[variant]()  # It compiles.
  ready()
  found: dict[str, list[timing.Rates]] = {variant: [] for variant in works}
  for _ in range(plan.repeats):
    for variant, work in works.items():
      found[variant].append(timing.measure(work, 1, plan.seconds))
  return {variant: timing.merge(parts) for variant, parts in found.items()}


def act_step_by_step(
  workload: settings.Workload, plan: settings.Plan, ready: Ready
) -> dict[str, Any]:
  """Measures an Acme actor in Acme's loop: `timing.Rates` of environment steps.

  The environment and the influence reward are part of it.
  """
  population = population_lib.Population(workload)
  actor = population.builder.make_actor(
    population.experiment.actor_key(0, 0),
    population.networks,
    _Nowhere(),
    population,
  )
  loop = acme.EnvironmentLoop(
    population.experiment.environment_factory(0),
    actor,
    logger=loggers.NoOpLogger(),
  )

  def work() -> float:
    return loop.run_episode()['episode_length']

  work()
  ready()
  return {**timing.measure(work, plan.repeats, plan.seconds)}


def _forget_what_is_compiled() -> None:
  """Makes the next actor and the next learner compile, as in a new process."""
  unroll.make_rollout.cache_clear()
  update.make_sgd_step.cache_clear()


class _Nowhere(adders.Adder):
  """An adder that drops all rows."""

  def reset(self) -> None:
    """Does nothing."""

  def add_first(self, timestep: Any) -> None:
    """Drops the first row."""

  def add(self, action: Any, next_timestep: Any, extras: Any = ()) -> None:
    """Drops a row."""


def _make_rollout_actor(
  population: population_lib.Population, workload: settings.Workload
) -> rollout_actor.RolloutActor:
  numbers = range(workload.num_environments)
  environment = population.experiment.functional_environment
  assert environment is not None
  return rollout_actor.RolloutActor(
    population.builder,
    population.networks,
    environment,
    seeds=[population.experiment.environment_seed(i, 0) for i in numbers],
    keys=[population.experiment.actor_key(i, 0) for i in numbers],
    variable_source=population,
    replay=population.replay,
  )


def _sample(
  population: population_lib.Population, actor: rollout_actor.RolloutActor
) -> Any:
  """Returns a batch as a learner samples it, of all that an actor plays."""
  iterator = population.builder.make_dataset_iterator(population.replay)
  sequences, _, _ = actor.play()
  actor.write(sequences, lambda: None)
  return next(iterator)


def _make_play(actor: rollout_actor.RolloutActor) -> Callable[[], float]:
  """Returns a function that plays one unroll."""

  def work() -> float:
    sequences, num_steps, _ = actor.play()
    jax.block_until_ready(sequences)
    return num_steps

  return work


def _make_learn(
  population: population_lib.Population,
  workload: settings.Workload,
  batch: Any,
) -> Callable[[], float]:
  """Returns a function that makes one learner step, always of this batch."""
  learner = population.builder.make_learner(
    population.experiment.learner_key(),
    population.networks,
    itertools.repeat(batch),
    population.replay,
    counting.Counter(),
  )

  def work() -> float:
    learner.step()
    # The metrics of a step may be there before its parameters.
    learner.get_variables(['params'])
    return workload.steps_per_update

  return work


def _make_both(workload: settings.Workload) -> Callable[[], float]:
  """Returns a function that plays one unroll and makes one learner step."""
  population = population_lib.Population(workload)
  actor = _make_rollout_actor(population, workload)
  play = _make_play(actor)
  learn = _make_learn(population, workload, _sample(population, actor))

  def work() -> float:
    num_steps = play()
    learn()
    return num_steps

  return work
