"""Defines everything that a program is made from, in one record."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

import dm_env
import jax
from acme import specs
from acme.agents.jax import builders
from acme.utils.loggers import base as loggers

from influence_acme import checks, environments
from influence_acme.runs import identity as identity_lib
from influence_acme.runs import loggers as run_loggers
from influence_acme.runs import population_config, random_keys
from influence_acme.runs import run_dir as run_dir_lib
from influence_acme.system import config as system_config
from influence_acme.system import specs as multiagent_specs

# Fields that are settings of the run by themselves.
_SETTINGS = (
  *('num_steps', 'num_actors', 'num_environments', 'seed', 'run_dir'),
  *('resume', 'allow_changes', 'checkpoint_seconds'),
)


@dataclasses.dataclass(frozen=True)
class Experiment:
  """One training run. It must be picklable to run as processes.

  Attributes:
    builder_factory: takes the logger of the learner and gives the builder of
      the agent, such as `functools.partial(InfluenceBuilder, config)`.
    environment_factory: takes a seed in [0, 2**32).
    network_factory: takes the environment's spec; the networks are what the
      builder's `make_learner` and `make_actor` get.
    num_steps: environment steps at which the run ends, over all actors; those
      before a resume count.
    run_dir: the directory of the run.
    num_actors: how many nodes play, each in environments of its own.
    num_environments: how many environments an actor plays at once, in compiled
      unrolls. With 0 it plays one, step by step, as an Acme actor.
    functional_environment: the pure functions of what `environment_factory`
      makes, for compiled unrolls; there it stands in an `OthersActionsWrapper`.
    seed: of all randomness.
    resume: whether to go on with the run that lies in `run_dir`.
    allow_changes: names of settings that a resume may change although they
      define the experiment.
    checkpoint_seconds: between two checkpoints, about.
    identity: settings that a resumed run must share with the one that it
      resumes, by name; for example the name of the environment. They go into
      `config.json`, too.
    config: all settings by name, for `config.json`.
    batch_size: of the learner's batches; None, or what the builder's
      configuration says.
    logger_factory: takes the label of a node, 'learner' or 'actor_0', and makes
      a logger of your own beside the CSV files and TensorBoard, with
      `write(data)` and `close()`; called in that node.
  """

  builder_factory: Callable[
    [loggers.Logger], builders.GenericActorLearnerBuilder
  ]
  environment_factory: Callable[[int], dm_env.Environment]
  network_factory: Callable[[specs.EnvironmentSpec], Any]
  num_steps: int
  run_dir: str | os.PathLike[str]
  num_actors: int = 1
  num_environments: int = 0
  functional_environment: environments.FunctionalEnvironment | None = None
  seed: int = 0
  resume: bool = False
  allow_changes: tuple[str, ...] = ()
  checkpoint_seconds: float = 60.0
  identity: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  batch_size: int | None = None
  logger_factory: run_loggers.LoggerFactory | None = None

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.count(self, 'num_steps', 'num_actors')
    checks.count(self, 'num_environments', 'seed', low=0)
    checks.boolean(self, 'resume')
    checks.positive(self, 'checkpoint_seconds')
    if self.logger_factory is not None:
      checks.function('logger_factory', self.logger_factory)
    num = self.num_environments
    if num and self.functional_environment is None:
      raise ValueError(
        f'num_environments is {num}, but functional_environment is None: give '
        'the environment to unroll, of environments.functional(), or 0.'
      )
    if self.seed >= 2**32:
      raise ValueError(f'seed is {self.seed!r}: it must be below 2**32.')

  @property
  def directory(self) -> run_dir_lib.RunDirectory:
    """The layout of the run's directory."""
    return run_dir_lib.RunDirectory(self.run_dir)

  def make_environment_spec(self) -> specs.EnvironmentSpec:
    """Makes an environment only to read its specs."""
    return self.read_environment()[0]

  def read_environment(
    self,
  ) -> tuple[specs.EnvironmentSpec, environments.FunctionalEnvironment | None]:
    """Makes an environment to read its specs and pure functions, and closes it.

    Returns:
      Its specs, and its pure functions if it has any.

    Raises:
      ValueError: they are others than `functional_environment`.
    """
    given = self.functional_environment
    with contextlib.closing(self.environment_factory(self.seed)) as environment:
      own = getattr(environment, 'functional', given)
      if given not in (None, own):
        raise ValueError(
          f'functional_environment is {given!r}, but environment_factory makes '
          f'{own!r}: both must be the same game, with the same fields.'
        )
      return multiagent_specs.make_environment_spec(environment), own

  def settings(
    self,
    environment_spec: specs.EnvironmentSpec,
    functional: environments.FunctionalEnvironment | None,
  ) -> dict[str, Any]:
    """Returns all settings by name, for `config.json`."""
    builder: Any = self.builder_factory(loggers.NoOpLogger())
    settings = {
      **{name: getattr(self, name) for name in _SETTINGS},
      **self.identity,
      **self.config,
    }
    config = getattr(builder, 'config', None)
    if not isinstance(config, system_config.InfluenceConfig):
      return {'agent': _configs(builder), **settings}
    networks = self.network_factory(environment_spec)
    population = population_config.make(
      config, networks, environment_spec, functional
    )
    return settings | population.to_settings()

  def check_batch_size(self) -> None:
    """Raises ValueError: the batch size is not that of the builder."""
    builder = self.builder_factory(loggers.NoOpLogger())
    config = getattr(builder, 'config', None)
    expected = getattr(config, 'batch_size', self.batch_size)
    if self.batch_size not in (None, expected):
      raise ValueError(
        f'batch_size is {self.batch_size!r}: leave it out, or let it be that '
        f"of the builder's configuration, {expected}."
      )

  def make_identity(
    self, environment_spec: specs.EnvironmentSpec
  ) -> dict[str, Any]:
    """Returns what a resumed run must share with the one that it resumes."""
    builder = self.builder_factory(loggers.NoOpLogger())
    return identity_lib.make_identity(
      type(builder).__qualname__, environment_spec, self.identity
    )

  def learner_key(self) -> jax.Array:
    """Returns the random key of the learner."""
    return random_keys.learner_key(self.seed)

  def actor_key(self, actor_id: int, first_step: int) -> jax.Array:
    """Returns the random key of an actor, see `random_keys.actor_key`."""
    return random_keys.actor_key(self.seed, actor_id, first_step)

  def environment_seed(self, actor_id: int, first_step: int) -> int:
    """Returns the seed of an actor's environment, in [0, 2**32)."""
    return random_keys.environment_seed(self.seed, actor_id, first_step)


def _configs(builder: Any) -> dict[str, Any]:
  """Returns the configurations in a builder, and in those that it holds."""
  found: dict[str, Any] = {}
  for name, value in vars(builder).items():
    if dataclasses.is_dataclass(value):
      found[name.lstrip('_')] = value
    elif isinstance(value, builders.GenericActorLearnerBuilder):
      found[name.lstrip('_')] = _configs(value)
    elif name == '_builders':  # Of a population.
      found |= {agent_id: _configs(each) for agent_id, each in value.items()}
  return found
