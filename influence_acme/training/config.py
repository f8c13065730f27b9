"""Configures a run of the fused trainer."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from influence_acme import checks, environments
from influence_acme.system import config as config_lib

# 'auto', or how many devices divide what.
_MESH = re.compile(r'auto|(environments|agents|seeds):[1-9]\d*')
_COORDINATOR = re.compile(r'auto|.+:\d+|')


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
    seeds: to train as one program in place of `seed`, each as a run of its own
      in `run_dir`/seed_S.
    run_dir: the directory of the run; a new one under runs/ if empty.
    resume: whether to go on with the run that lies in `run_dir`.
    allow_changes: names of settings, perhaps separated by commas, that a resume
      may change although they define the experiment.
    checkpoint_seconds: between two checkpoints.
    mesh: of the devices: 'environments:8' divides environments and batches
      among eight, 'agents:5' environments and agents among five, 'seeds:4'
      seeds among four; 'auto': seeds, or else environments, among all that
      there are.
    coordinator: HOST:PORT of process 0, if the run has several processes; or
      'auto', if JAX is to find it and the next two, as it can with SLURM.
    process_id: of this process, from 0; process 0 alone writes.
    num_processes: of the run.
  """

  agent: config_lib.InfluenceConfig = config_lib.InfluenceConfig()
  game: str = 'cleanup'
  num_agents: int | None = None
  episode_length: int | None = None
  game_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  num_steps: int = 1_000_000
  seed: int = 0
  seeds: tuple[int, ...] = ()
  run_dir: str = ''
  resume: bool = False
  allow_changes: tuple[str, ...] = ()
  checkpoint_seconds: float = 60.0
  mesh: str = 'auto'
  coordinator: str = ''
  process_id: int | None = None
  num_processes: int | None = None

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.choice(self, 'game', environments.names())
    checks.count(self, 'num_steps')
    for name in ('num_agents', 'episode_length'):
      if getattr(self, name) is not None:
        checks.count(self, name)
    self._check_seeds()
    checks.boolean(self, 'resume')
    checks.positive(self, 'checkpoint_seconds')
    if self.resume and not self.run_dir:
      raise ValueError(
        "run_dir is '': it must name the run's directory where resume is True."
      )
    if not (isinstance(self.mesh, str) and _MESH.fullmatch(self.mesh)):
      raise ValueError(
        f"mesh is {self.mesh!r}: it must be 'auto', 'environments:N', "
        "'agents:N' or 'seeds:N', with a number N of devices."
      )
    self._check_processes()

  def _check_seeds(self) -> None:
    """Raises ValueError: a seed is out of range, or stands twice."""
    checks.integer('seed', self.seed, 0, 2**32 - 1)
    if not isinstance(self.seeds, tuple):
      raise ValueError(f'seeds is {self.seeds!r}: it must be a tuple.')
    for seed in self.seeds:
      checks.integer('seeds', seed, 0, 2**32 - 1)
    if len(set(self.seeds)) < len(self.seeds):
      raise ValueError(f'seeds is {self.seeds!r}: each must stand there once.')
    if self.seeds and self.coordinator:
      raise ValueError(
        f'seeds is {self.seeds!r}: it must be empty where several processes '
        'train one run; let each process train seeds of its own.'
      )

  def _check_processes(self) -> None:
    """Raises ValueError: what tells the processes of a run apart is not so."""
    address = self.coordinator
    if not (isinstance(address, str) and _COORDINATOR.fullmatch(address)):
      raise ValueError(
        f"coordinator is {self.coordinator!r}: it must be HOST:PORT, 'auto', "
        "or '' for one process."
      )
    given = self.process_id, self.num_processes
    if ':' not in self.coordinator:
      if given != (None, None):
        raise ValueError(
          f'process_id and num_processes are {given}: they must be None where '
          f'coordinator is {self.coordinator!r}, and not HOST:PORT.'
        )
      return
    for name in ('process_id', 'num_processes'):
      if getattr(self, name) is None:
        raise ValueError(
          f'{name} is None: it must be a number where coordinator is '
          f'{self.coordinator!r}.'
        )
    checks.count(self, 'num_processes')
    most = (self.num_processes or 1) - 1
    checks.integer('process_id', self.process_id, 0, most)

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
