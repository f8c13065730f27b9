"""Defines the runs of a sweep, and their directories.

SWEEP/sweep.json                  what all its runs share
SWEEP/VARIANT/SETTING/seed_S      a run, see `settings` for their names
"""

import dataclasses
import itertools
import json
import os
import pathlib

from influence_acme import checks, environments, training
from influence_acme.reproduction import settings
from influence_acme.runs import config_file, run_dir
from influence_acme.system import config as config_lib

SWEEP_NAME = 'sweep.json'
# Of what an episode of a finished run showed, in the run's directory.
EPISODE_NAME = 'episode.json'
LAUNCHES = ('threads', 'processes', 'single')  # As of `programs`.

# May differ between two calls for the same sweep: which runs, how long, how.
_FREE = ('variants', 'seeds', 'num_steps', 'search', 'shares', 'launch', 'path')


@dataclasses.dataclass(frozen=True)
class Run:
  """One training run of a sweep.

  Attributes:
    variant: of the agent.
    setting: its name, see `settings`.
    seed: of all randomness.
    config: of the agent.
    directory: of the run.
  """

  variant: str
  setting: str
  seed: int
  config: config_lib.InfluenceConfig
  directory: run_dir.RunDirectory

  @property
  def name(self) -> str:
    """The place in the sweep."""
    return f'{self.variant}/{self.setting}/seed_{self.seed}'


@dataclasses.dataclass(frozen=True)
class Sweep:
  """An experiment in one game, over variants, settings and seeds.

  Attributes:
    path: the directory of the sweep.
    experiment: one of `settings.EXPERIMENTS`: of the paper, with its settings;
      or 'practical', all variants with settings that learn in 10^6 steps.
    game: one of `settings.games(experiment)`.
    variants: of the experiment.
    seeds: of the runs of every setting.
    num_steps: environment steps of a run.
    num_environments: played at once; None for the number of the settings, 144
      with the paper's; 0 for one, step by step, which the fused trainer does
      not.
    num_agents: in each environment; None for the game's own number.
    episode_length: in steps; None for the game's own.
    launch: one of `LAUNCHES`: 'single', the fused trainer; the others need
      Acme.
    shares: of influence in the return, in the experiment 'practical': each is a
      setting of the variants that are rewarded for it.
    search: how many settings to draw around the paper's; 0 for the paper's one.
    search_seed: of the draws.
  """

  path: str | os.PathLike[str]
  experiment: str
  game: str
  variants: tuple[str, ...]
  seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
  num_steps: int = 500_000_000
  num_environments: int | None = None
  num_agents: int | None = None
  episode_length: int | None = None
  launch: str = 'single'
  shares: tuple[float, ...] = settings.SHARES
  search: int = 0
  search_seed: int = 0

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.choice(self, 'launch', LAUNCHES)
    checks.choice(self, 'experiment', settings.EXPERIMENTS)
    checks.choice(self, 'game', settings.games(self.experiment))
    settings.check(self.experiment, self.search, self.shares)
    for name in ('variants', 'seeds', 'shares'):
      values = getattr(self, name)
      if (
        not isinstance(values, tuple)
        or not values
        or len(set(values)) < len(values)
      ):
        raise ValueError(
          f'{name} is {values!r}: it must hold at least one, and none '
          'twice, as a tuple.'
        )
    for seed in self.seeds:
      checks.integer('seeds', seed, 0, 2**32 - 1, ', each of them')
    checks.count(self, 'num_steps')
    for share in self.shares:
      checks.real('shares', share, 0.0)
    optional = {'num_agents': 1, 'episode_length': 1, 'num_environments': 0}
    for name, low in optional.items():
      if getattr(self, name) is not None:
        checks.count(self, name, low=low)
    checks.count(self, 'search', 'search_seed', low=0)
    self.runs()  # Are all variants there, and all settings in range?

  @property
  def directory(self) -> pathlib.Path:
    """The sweep's directory."""
    return pathlib.Path(self.path).expanduser().absolute()

  def runs(self) -> list[Run]:
    """Returns all runs: by variant, then setting, then seed."""
    return [
      Run(
        variant,
        setting,
        seed,
        config,
        run_dir.RunDirectory(
          self.directory / variant / setting / f'seed_{seed}'
        ),
      )
      for variant in self.variants
      for (setting, config), seed in itertools.product(
        self._settings(variant).items(), self.seeds
      )
    ]

  def make_config(
    self, run: Run, *, resume: bool = False
  ) -> training.TrainConfig:
    """Returns the configuration of a run in the fused trainer."""
    return training.TrainConfig(
      agent=run.config,
      game=self.game,
      num_agents=self.num_agents,
      episode_length=self.episode_length,
      num_steps=self.num_steps,
      seed=run.seed,
      run_dir=str(run.directory.path),
      resume=resume,
    )

  def prepare(self) -> None:
    """Writes down what all runs share, or checks it if it is there.

    Raises:
      ValueError: another sweep lies there, or the fused trainer cannot run it.
    """
    if self.launch == 'single' and self.num_environments == 0:
      raise ValueError(
        "num_environments is 0: it must be at least 1 if launch is 'single'."
      )
    shared = {
      name: value
      for name, value in dataclasses.asdict(self).items()
      if name not in _FREE
    }
    path = self.directory / SWEEP_NAME
    if not path.exists():
      self.directory.mkdir(parents=True, exist_ok=True)
      config_file.write_json(path, shared)
    saved = json.loads(path.read_text(encoding='utf-8'))
    for name, value in shared.items():
      if saved.get(name) != value:
        raise ValueError(
          f'{name} is {value!r}, but the sweep in {self.directory} has '
          f'{saved.get(name)!r}: choose another directory, or set it as it was.'
        )

  def _settings(self, variant: str) -> dict[str, config_lib.InfluenceConfig]:
    """Returns the configurations of a variant by the name of their setting."""
    sizes = settings.sizes(self.experiment, self.num_environments)
    if self.experiment == settings.PRACTICAL:
      return settings.of_practice(self.game, variant, self.shares, sizes)
    return settings.of_paper(
      (self.experiment, self.game, variant),
      sizes,
      count=self.search,
      seed=self.search_seed,
      num_agents=self.num_agents
      or environments.functional(self.game).num_agents,
    )


def find(path: str | os.PathLike[str]) -> Sweep:
  """Returns the sweep that lies in a directory, as far as it has begun.

  Raises:
    FileNotFoundError: no sweep lies there, or one without any run.
  """
  directory = pathlib.Path(path).expanduser().absolute()
  shared_path = directory / SWEEP_NAME
  found = [
    run_dir.RunDirectory(each).config_path
    for each in sorted(directory.glob('*/*/seed_*'))
    if each.suffix == ''  # Else it was set aside.
  ]
  configs = [each for each in found if each.exists()]
  if not shared_path.exists() or not configs:
    raise FileNotFoundError(
      f'{directory} holds no sweep with a run that has begun: name the '
      '--sweep_dir of examples/reproduce.py.'
    )
  shared = json.loads(shared_path.read_text(encoding='utf-8'))
  variants, names, seeds = (
    {each.parts[-4 + i] for each in configs} for i in range(3)
  )
  num_steps = [
    json.loads(each.read_text(encoding='utf-8'))['config']['num_steps']
    for each in configs
  ]
  order = list(settings.EXPERIMENTS[shared['experiment']])
  return Sweep(
    path=directory,
    variants=tuple(sorted(variants, key=order.index)),
    seeds=tuple(sorted(int(x.removeprefix('seed_')) for x in seeds)),
    num_steps=max(num_steps),
    **settings.of_names(names),
    **shared,
  )
