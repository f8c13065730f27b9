"""Defines everything that a program is made from, in one record."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

import dm_env
import jax
from acme import specs
from acme.agents.jax import builders
from acme.utils.loggers import base as loggers

from influence_acme import environments
from influence_acme.runs import identity as identity_lib
from influence_acme.runs import random_keys
from influence_acme.runs import run_dir as run_dir_lib
from influence_acme.system import specs as multiagent_specs


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
    checkpoint_seconds: between two checkpoints, about.
    identity: settings that a resumed run must share with the one that it
      resumes, by name; for example the name of the environment. They go into
      `config.json`, too.
    config: all settings by name, for `config.json`.
    batch_size: of the learner's batches; None, or what the builder's
      configuration says.
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
  checkpoint_seconds: float = 60.0
  identity: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  batch_size: int | None = None

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    for name in ('num_steps', 'num_actors'):
      value = getattr(self, name)
      if not isinstance(value, int) or value < 1:
        raise ValueError(
          f'{name} is {value!r}: it must be an int of at least 1.'
        )
    num = self.num_environments
    if not isinstance(num, int) or num < 0:
      raise ValueError(
        f'num_environments is {num!r}: it must be an int of at least 0.'
      )
    if num and self.functional_environment is None:
      raise ValueError(
        f'num_environments is {num}, but functional_environment is None: give '
        'the environment to unroll, of environments.functional(), or 0.'
      )
    if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
      raise ValueError(
        f'seed is {self.seed!r}: it must be an int in [0, 2**32).'
      )
    if not self.checkpoint_seconds > 0:
      raise ValueError(
        f'checkpoint_seconds is {self.checkpoint_seconds}: it must be above 0.'
      )

  @property
  def directory(self) -> run_dir_lib.RunDirectory:
    """The layout of the run's directory."""
    return run_dir_lib.RunDirectory(self.run_dir)

  def make_environment_spec(self) -> specs.EnvironmentSpec:
    """Makes an environment only to read its specs."""
    return multiagent_specs.make_environment_spec(
      self.environment_factory(self.seed)
    )

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
    """Returns what a resumed run must share with the one that it resumes.

    Args:
      environment_spec: as of `make_environment_spec`.
    """
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
