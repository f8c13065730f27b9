"""Trains the runs of one or more seeds as one program.

Seeds share the compiled functions. On a CPU they take turns; on an accelerator,
or on several devices, one call trains all of them.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

import jax

from influence_acme.rollouts import unroll
from influence_acme.runs import random_keys, save_clock
from influence_acme.training import accelerator, loop, processes
from influence_acme.training import session as session_lib

Iterated = tuple[loop.State, loop.Iteration]


def train(
  sessions: Sequence[session_lib.Session],
  stopping: Callable[[], bool],
  mesh: jax.sharding.Mesh | None = None,
) -> None:
  """Iterates until all runs have their steps, or `stopping()` is True.

  Args:
    sessions: alike but for their seeds and directories.
    stopping: called between iterations.
    mesh: of the devices; None for one. Of several seeds, its axis is 'seeds'.

  Raises:
    CheckpointError: a run cannot be resumed, or not be saved.
    FloatingPointError: a number of an environment, a reward, a loss or a
      gradient is not finite.
    RuntimeError: one of these, of one of several seeds, which it names.
  """
  with contextlib.ExitStack() as stack:
    for session in sessions:
      session.open_logs(stack)
    rollout = sessions[0].open_rollout(stack)
    trainers = _make_trainers(sessions, rollout, mesh)
    stack.callback(trainers[0].close)  # Before the environments close.
    iterate = _make_iterate(trainers, mesh)
    for session, trainer in zip(sessions, trainers, strict=True):
      with _naming(session, sessions):
        session.start(trainer)
        session.save()  # A run that cannot be saved had better not begin.
    clocks = [
      save_clock.SaveClock(session.directory, session.checkpoint_seconds)
      for session in sessions
    ]
    before = time.monotonic()
    while not (all(x.is_done for x in sessions) or stopping()):
      iterated = iterate(sessions)
      now = time.monotonic()
      # Logs and checkpoints since the last iteration count, too.
      before, seconds = now, now - before
      for session, clock, result in zip(
        sessions, clocks, iterated, strict=True
      ):
        if result is None:
          continue
        with _naming(session, sessions):
          session.take(*result, seconds)
          if processes.agree(processes.is_first() and clock.is_due()):
            session.save()
    for session in sessions:
      with _naming(session, sessions):
        session.save()


@contextlib.contextmanager
def _naming(
  session: session_lib.Session, sessions: Sequence[session_lib.Session]
) -> Iterator[None]:
  """Names the seed in what is raised inside, if there are several."""
  try:
    yield
  except Exception as error:
    if len(sessions) == 1:
      raise
    raise RuntimeError(f'Seed {session.seed}: {error}') from error


def _make_trainers(
  sessions: Sequence[session_lib.Session],
  rollout: unroll.Rollout,
  mesh: jax.sharding.Mesh | None,
) -> list[loop.Trainer]:
  """Makes a trainer for each seed; they share the compiled functions."""
  on_cpu = jax.default_backend() == 'cpu'
  first = sessions[0]
  keys = [random_keys.learner_key(session.seed) for session in sessions]
  parts = rollout, first.networks, first.agent, keys[0]
  trainer: loop.Trainer
  if (on_cpu and mesh is None) or not rollout.is_compiled:
    trainer = loop.Trainer(*parts)
  else:
    num_iterations = 1 if on_cpu else accelerator.ITERATIONS
    of_one = mesh if len(sessions) == 1 else None  # Else of the seeds.
    trainer = accelerator.Trainer(*parts, of_one, num_iterations)
  return [trainer.with_key(key) for key in keys]


def _make_iterate(
  trainers: Sequence[loop.Trainer], mesh: jax.sharding.Mesh | None
) -> Callable[[Sequence[session_lib.Session]], list[Iterated | None]]:
  """Makes the function that iterates once for each seed that is not done."""
  compiled = [x for x in trainers if isinstance(x, accelerator.Trainer)]
  if len(compiled) < 2:

    def in_turn(sessions):
      return [
        None if session.is_done else trainer.iterate(session.state)
        for trainer, session in zip(trainers, sessions, strict=True)
      ]

    return in_turn
  together = accelerator.Together(compiled, mesh)

  def at_once(sessions):
    iterated = together.iterate([session.state for session in sessions])
    return [
      None if session.is_done else each
      for session, each in zip(sessions, iterated, strict=True)
    ]

  return at_once
