"""Trains the runs of one or more seeds as one program.

Seeds share the compiled functions. On a CPU they take turns, as one run keeps
both threads of `loop` busy; on an accelerator, or on several devices, one call
trains all of them.
"""

import contextlib
import time
from collections.abc import Callable, Sequence

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

  Runs that have them at the start are left as they are.

  Args:
    sessions: alike but for their seeds and directories.
    stopping: called between iterations.
    mesh: of the devices; None for one. Of several seeds, its axis is 'seeds'.

  Raises:
    CheckpointError: a run cannot be resumed, or not be saved.
    FloatingPointError: a number of an environment, a reward, a loss or a
      gradient is not finite.
  """
  sessions = [session for session in sessions if not session.is_done]
  if not sessions:
    return
  if mesh is not None and len(sessions) > 1 and len(sessions) % mesh.size:
    mesh = None  # Those that are left, of a resumed program.
  with contextlib.ExitStack() as stack:
    for session in sessions:
      session.open_logs(stack)
    rollout = sessions[0].open_rollout(stack)
    trainers = _make_trainers(sessions, rollout, mesh)
    stack.callback(trainers[0].close)  # Before the environments close.
    iterate = _make_iterate(trainers, mesh)
    for session, trainer in zip(sessions, trainers, strict=True):
      session.start(trainer)
      session.save()  # A run that cannot be saved had better not begin.
    clocks = [
      save_clock.SaveClock(session.directory, session.checkpoint_seconds)
      for session in sessions
    ]
    # Those that are done early go on: one call trains all.
    while not (all(x.is_done for x in sessions) or stopping()):
      started = time.monotonic()
      iterated = iterate([session.state for session in sessions])
      seconds = time.monotonic() - started
      for session, clock, result in zip(
        sessions, clocks, iterated, strict=True
      ):
        session.take(*result, seconds)
        if processes.agree(processes.is_first() and clock.is_due()):
          session.save()
    for session in sessions:
      session.save()


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
    of_one = mesh if len(sessions) == 1 else None
    trainer = accelerator.Trainer(*parts, of_one, num_iterations)
  return [trainer.with_key(key) for key in keys]


def _make_iterate(
  trainers: Sequence[loop.Trainer], mesh: jax.sharding.Mesh | None
) -> Callable[[Sequence[loop.State]], list[Iterated]]:
  """Makes the function that iterates once for each seed."""
  compiled = [x for x in trainers if isinstance(x, accelerator.Trainer)]
  if len(compiled) > 1:
    return accelerator.Together(compiled, mesh).iterate
  return lambda states: [
    trainer.iterate(state)
    for trainer, state in zip(trainers, states, strict=True)
  ]
