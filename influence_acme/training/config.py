"""Configures a run of the fused trainer."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from influence_acme import checks, environments
from influence_acme.system import config as config_lib


@dataclasses.dataclass(frozen=True)
class TrainConfig:
  """Configuration of a run; it checks itself.

  Attributes:
    agent: of the agents. Its batch size is how many environments are played at
      once, its unroll length how many steps of each make one batch.
    game: name of an environment, see `environments.names()`.
    num_agents: in each environment; None for the game's own number.
    episode_length: in steps; None for the game's own.
    game_options: further fields of the environment, by name.
    num_steps: environment steps at which the run ends; those before a resume
      count.
    seed: of all randomness.
    run_dir: the directory of the run; a new one under runs/ if empty.
    resume: whether to go on with the run that lies in `run_dir`.
    allow_changes: names of settings, perhaps separated by commas, that a resume
      may change although they define the experiment.
    checkpoint_seconds: between two checkpoints.
  """

  agent: config_lib.InfluenceConfig = config_lib.InfluenceConfig()
  game: str = 'cleanup'
  num_agents: int | None = None
  episode_length: int | None = None
  game_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  num_steps: int = 1_000_000
  seed: int = 0
  run_dir: str = ''
  resume: bool = False
  allow_changes: tuple[str, ...] = ()
  checkpoint_seconds: float = 60.0

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.choice(self, 'game', environments.names())
    checks.count(self, 'num_steps')
    for name in ('num_agents', 'episode_length'):
      if getattr(self, name) is not None:
        checks.count(self, name)
    checks.count(self, 'seed', low=0)
    if self.seed >= 2**32:
      raise ValueError(f'seed is {self.seed!r}: it must be below 2**32.')
    checks.boolean(self, 'resume')
    checks.positive(self, 'checkpoint_seconds')
    if self.resume and not self.run_dir:
      raise ValueError(
        "run_dir is '': it must name the run's directory where resume is True."
      )

  def make_environment(self) -> 'environments.FunctionalEnvironment':
    """Makes the pure functions of the environment.

    Raises:
      ValueError: an option is unknown or out of range.
    """
    sizes = {
      name: getattr(self, name)
      for name in ('num_agents', 'episode_length')
      if getattr(self, name) is not None
    }
    return environments.functional(self.game, **sizes, **self.game_options)
