"""What other machines would do, computed from what was measured on this one.

Nothing here was tried. Every function says what it takes for granted.
"""

import dataclasses

from benchmarks import table


@dataclasses.dataclass(frozen=True)
class Parts:
  """What the parts of a training run cost on the machine that was measured.

  Attributes:
    acting: core-seconds to act in an environment step, environment included.
    learning: core-seconds to learn from one.
    efficiency: of the whole run, in (0, 1]: the share of its cores' time that
      goes into the two. The rest goes into replay, copies and waiting.
  """

  acting: float
  learning: float
  efficiency: float = 1.0

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    for name in ('acting', 'learning'):
      if not getattr(self, name) > 0:
        raise ValueError(
          f'{name} is {getattr(self, name)!r}: it must be above 0 seconds.'
        )
    if not 0 < self.efficiency <= 1:
      raise ValueError(
        f'efficiency is {self.efficiency!r}: it must be in (0, 1].'
      )


@dataclasses.dataclass(frozen=True)
class Accelerator:
  """A device that learns.

  Attributes:
    peak: float32 operations a second.
    fraction: of the peak that learning reaches, in (0, 1].
    link: bytes a second, from the host.
  """

  peak: float
  fraction: float
  link: float


@dataclasses.dataclass(frozen=True)
class StepCost:
  """What an environment step costs a device that learns from it.

  Attributes:
    learning_flops: operations.
    num_bytes: that must be brought there.
  """

  learning_flops: float
  num_bytes: float


def pixel_bytes(num_agents: int, view: int = 15) -> int:
  """Returns the bytes of everyone's view: most of what a step brings along."""
  return num_agents * view**2 * 3


def make_parts(
  acting: table.Row, learning: table.Row, whole: table.Row
) -> Parts:
  """Returns the costs that measured speeds imply.

  Args:
    acting: the row of acting alone.
    learning: the row of learning alone.
    whole: the row of a training run, on all cores.
  """
  seconds = [
    (row.cores_used or row.cores) / row.median for row in (acting, learning)
  ]
  used = whole.median * sum(seconds) / whole.cores
  # Above 1: noise, or the parts wait less for each other in a whole run.
  return Parts(seconds[0], seconds[1], efficiency=min(used, 1.0))


def on_cores(parts: Parts, cores: int, learner_cores: int) -> float:
  """Returns environment steps/s of a machine with more of the same cores.

  Assumed: one learner, which spreads over at most `learner_cores`; actors on
  all other cores, in as many nodes as it takes; a core is as fast as here while
  the others work, too, and has its share of memory bandwidth; and what is lost
  here is lost there, in proportion. The replay and what connects the nodes are
  not modelled: see `StepCost.num_bytes` for what they would have to carry.

  Args:
    parts: as measured.
    cores: of the machine, at least 2.
    learner_cores: that one learner can make use of, at least 1.

  Returns:
    The speed of the slower side, with the learner on as many cores as suit it.
  """
  if cores < 2 or learner_cores < 1:
    raise ValueError(
      f'cores is {cores} and learner_cores {learner_cores}: they must be at '
      'least 2 and 1.'
    )
  balanced = cores * parts.learning / (parts.acting + parts.learning)
  learner = min(balanced, learner_cores, cores - 1)
  # The learner alone if it cannot keep up, though actors have cores to spare.
  speed = min(learner / parts.learning, (cores - learner) / parts.acting)
  return parts.efficiency * speed


def with_accelerator(
  parts: Parts, cores: int, learner: Accelerator, step: StepCost
) -> float:
  """Returns environment steps/s of cores that play, and one that learns.

  Assumed: all cores act, and the accelerator does nothing but learn, at its
  fraction of its peak; batches reach it while it learns from others; what is
  lost here beside the two is lost there, in proportion. That it reaches the
  fraction that a CPU does is a guess: the products are small, and the LSTMs
  loop over time, but a batch holds many agents and sequences.

  Args:
    parts: as measured; the cost of learning is not used.
    cores: that play, as fast as those here.
    learner: the accelerator.
    step: what an environment step costs it.

  Returns:
    The speed of whatever is slowest: playing, learning, or the way there.
  """
  playing = parts.efficiency * cores / parts.acting
  learning = learner.peak * learner.fraction / step.learning_flops
  carrying = learner.link / step.num_bytes
  return min(playing, learning, carrying)
