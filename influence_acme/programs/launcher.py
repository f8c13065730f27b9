"""Launches a program: in threads, as processes, or by the fused trainer.

However it ends, it ends within seconds, leaves no process behind, and says how
by its exit code:

    0    the step budget is reached
    1    a node failed: failure.txt in the run directory has its traceback; or
         the learner's host is gone
    130  Ctrl-C
    143  SIGTERM
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

from acme.utils.loggers import base as loggers_base

from influence_acme import checks
from influence_acme.agents.influence import builder as influence_builder
from influence_acme.programs import actor_host, graph, workers
from influence_acme.runs import (
  checkpoint,
  failures,
  outcome,
  progress,
  signals,
  start,
)
from influence_acme.training import rollout_makers, seeds
from influence_acme.training import session as session_lib

LAUNCHES = ('threads', 'processes', 'single')
# The libraries bind to all interfaces, and have no option for another address.
_EXPOSED = (
  'Warning: the nodes listen on all network interfaces and unpickle what they '
  'are sent: whoever reaches the ports of this machine can run code on it. See '
  'SECURITY.md.'
)


def launch(program: graph.Program, launch: str = 'threads') -> int:
  """Runs a program to its end. Only the main thread can.

  Args:
    program: of `make_program`.
    launch: 'threads' of this process; 'processes', one for each node; or
      'single', the fused trainer, for agents of `InfluenceBuilder` alone: it
      plays as many environments as a batch has sequences, whatever the number
      of actors.

  Returns:
    The exit code, see above.

  Raises:
    ValueError: the launch is unknown, or not for these agents or hosts.
    CheckpointError: the run cannot go on from its checkpoint, or is of another
      experiment.
    OSError: the run directory holds a run already, or nothing to resume, or is
      in use, or cannot be written; or a port is in use.
    RuntimeError: this is not the main thread.
  """
  checks.one_of('launch', launch, LAUNCHES)
  if launch == 'single' and program.hosts is not None:
    raise ValueError(
      "launch is 'single', which runs on one host, but the program has several:"
      " it must be 'threads' or 'processes'."
    )
  signals.check_main_thread()
  hosts = program.hosts
  session = _make_session(program) if launch == 'single' else None
  settings = {
    'launch': launch,
    **program.experiment.settings(program.environment_spec, program.functional),
    **({} if hosts is None else {'hosts': hosts.hosts}),
  }
  if hosts is None or hosts.is_home:
    code, stuck = _run_learner(program, launch, session, settings)
  else:
    code, stuck = actor_host.run(program, launch, settings)
  if stuck:
    names = ', '.join(stuck)
    print(f'These nodes did not end in time: {names}.', file=sys.stderr)
    if launch == 'threads':
      sys.stdout.flush()
      sys.stderr.flush()
      os._exit(code)  # There is no other way to end a thread.
  return code


def _run_learner(
  program: graph.Program,
  launch: str,
  session: session_lib.Session | None,
  settings: Mapping[str, Any],
) -> tuple[int, list[str]]:
  """Runs what has the learner, and so the directory of the run, as `_run`."""
  experiment, directory = program.experiment, program.directory

  def restore(has_changed: bool) -> None:
    if session is not None:
      session.restore(has_changed)
    else:
      # The learner would find out too, but only once everything is up.
      checkpoint.load(
        directory.checkpoint_path,
        experiment.make_identity(program.environment_spec),
        experiment.allow_changes,
      )

  if program.hosts is not None:
    program.hosts.check_ports()
  run = start.Run(directory, settings, restore, experiment.resume)
  with start.start([run], allow_changes=experiment.allow_changes):
    return _run(program, launch, session)


def _run(
  program: graph.Program, launch: str, session: session_lib.Session | None
) -> tuple[int, list[str]]:
  """Returns the exit code, and the names of nodes that did not end in time."""
  experiment, directory = program.experiment, program.directory
  stuck: list[str] = []
  with signals.Signals() as received:
    with progress.Progress([directory], experiment.num_steps):
      if session is not None:
        _train(session, received)
      else:
        print(_EXPOSED, file=sys.stderr)
        stuck = workers.run(
          program.graph, launch, received, directory.failure_path
        )
    done = checkpoint.steps_done(directory.checkpoint_path) or 0
    code = outcome.conclude(
      directory,
      is_done=done >= experiment.num_steps,
      signal_number=received.number,
    )
  return code, stuck


def _make_session(program: graph.Program) -> session_lib.Session:
  """Makes the fused trainer's session of an experiment.

  Raises:
    ValueError: the agents are not those of `InfluenceBuilder`.
  """
  experiment = program.experiment
  builder: Any = experiment.builder_factory(loggers_base.NoOpLogger())
  if not isinstance(builder, influence_builder.InfluenceBuilder):
    raise ValueError(
      f"launch is 'single', which trains agents of InfluenceBuilder alone, not "
      f"of {type(builder).__name__}: it must be 'threads' or 'processes'."
    )
  networks = experiment.network_factory(program.environment_spec)
  functional = experiment.functional_environment
  return session_lib.Session(
    builder.config,
    networks,
    builder.make_joint_policy(networks),
    rollout_makers.compiled(functional, networks, builder.config)
    if experiment.num_environments and functional is not None
    else rollout_makers.on_host(
      experiment.environment_factory, networks, builder.config, experiment.seed
    ),
    experiment.directory,
    experiment.make_identity(program.environment_spec),
    num_steps=experiment.num_steps,
    seed=experiment.seed,
    checkpoint_seconds=experiment.checkpoint_seconds,
    allow_changes=experiment.allow_changes,
    logger_factory=experiment.logger_factory,
  )


def _train(session: session_lib.Session, received: signals.Signals) -> None:
  """Runs a session; a failure is written down as of any node."""
  try:
    seeds.train([session], lambda: received.number > 0)
  except Exception as error:  # noqa: BLE001  As for any other node.
    failures.report_exception(session.directory.failure_path, 'single', error)
