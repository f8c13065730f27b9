"""What is measured, and how long."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Workload:
  """Training the paper's agents, as far as it matters for speed.

  Attributes:
    environment: its name.
    num_agents: in each environment.
    episode_length: in environment steps.
    num_actors: nodes that play.
    num_environments: that an actor plays at once; 0 to play step by step.
    unroll_length: T, steps of a sequence.
    batch_size: sequences of a learner step.
    variant: of the agents.
  """

  environment: str = 'cleanup'
  num_agents: int = 5
  episode_length: int = 1000
  num_actors: int = 1
  num_environments: int = 144
  unroll_length: int = 20
  batch_size: int = 144
  variant: str = 'moa'

  @property
  def kind(self) -> str:
    """How it is played, in words."""
    return 'vectorised' if self.num_environments else 'step by step'

  @property
  def steps_per_update(self) -> float:
    """Environment steps that a learner step learns from.

    One row in `episode_length + 1` is an episode's last observation, which
    costs no step.
    """
    rows = self.batch_size * self.unroll_length
    return rows * self.episode_length / (self.episode_length + 1)


@dataclasses.dataclass(frozen=True)
class Plan:
  """How much is measured.

  Attributes:
    repeats: of every measurement.
    seconds: of one repeat, at least.
    window_seconds: the same, of a whole training run.
    settle_seconds: of a training run, between the first learner step and the
      first repeat: until all actors have compiled.
    environment_batches: how many environments to play at once.
    game_batches: the same, of the other games.
    gemm_size: rows and columns of the matrices that are multiplied.
    launches: of training runs.
    variants: of agents, to compare with the first of them.
  """

  repeats: int = 5
  seconds: float = 0.4
  window_seconds: float = 2.0
  settle_seconds: float = 3.0
  environment_batches: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
  game_batches: tuple[int, ...] = (16, 256)
  gemm_size: int = 1024
  launches: tuple[str, ...] = ('single', 'threads', 'processes')
  variants: tuple[str, ...] = ('moa', 'basic_influence', 'communication')


VECTORISED = Workload()
STEP_BY_STEP = Workload(num_environments=0, batch_size=32)
# Of these the environment alone is measured.
GAMES = (
  Workload(environment='harvest'),
  Workload(environment='box_trapped', num_agents=2, episode_length=30),
)
FULL = Plan()

# Everything runs once, on tiny sizes: does it work?
SMOKE_VECTORISED = Workload(
  environment='coordination',  # It compiles fast.
  num_agents=2,
  episode_length=4,
  num_environments=2,
  unroll_length=3,
  batch_size=2,
)
SMOKE_STEP_BY_STEP = dataclasses.replace(SMOKE_VECTORISED, num_environments=0)
SMOKE = Plan(
  repeats=1,
  seconds=0.01,
  window_seconds=0.01,
  settle_seconds=0.0,
  environment_batches=(1, 2),
  game_batches=(2,),
  gemm_size=64,
  launches=('single',),
)


def to_json(workload: Workload, plan: Plan) -> str:
  """Returns both as text, for another process."""
  return json.dumps([dataclasses.asdict(workload), dataclasses.asdict(plan)])


def from_json(text: str) -> tuple[Workload, Plan]:
  """Returns what `to_json` wrote."""
  workload, plan = json.loads(text)
  plan = {k: tuple(v) if isinstance(v, list) else v for k, v in plan.items()}
  return Workload(**workload), Plan(**plan)
