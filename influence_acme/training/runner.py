"""Runs the fused trainer to its step budget, and says how it ended.

0    the step budget is reached
1    it failed: failure.txt in the run directory has the traceback
130  Ctrl-C
143  SIGTERM
"""

import contextlib
import dataclasses
import functools
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import dm_env

from influence_acme import checks, environments
from influence_acme import networks as base_networks
from influence_acme.runs import (
  failures,
  loggers,
  outcome,
  population_config,
  progress,
  run_dir,
  signals,
  start,
)
from influence_acme.runs import identity as identity_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import policy as policy_lib
from influence_acme.system import specs, wrap
from influence_acme.training import config as config_lib
from influence_acme.training import mesh, processes, rollout_makers, seeds
from influence_acme.training import session as session_lib

# Pure functions, or a function of a seed that makes a multi-agent dm_env.
Environment = (
  environments.FunctionalEnvironment | Callable[[int], dm_env.Environment]
)


def run(
  config: config_lib.TrainConfig,
  environment: Environment | None = None,
  torso: base_networks.Torso | None = None,
  logger_factory: loggers.LoggerFactory | None = None,
) -> int:
  """Trains until the step budget is reached, or the run is stopped.

  Args:
    config: of the run, or of a run for each of its seeds.
    environment: to play in place of the config's game: pure functions, which
      are compiled into the unroll; or a function of a seed that makes a
      multi-agent dm_env, of which `config.agent.batch_size` are stepped in a
      pool of threads.
    torso: see `system.networks.from_spec`.
    logger_factory: takes 'learner' or 'actor_0', and makes a logger of your own
      beside the CSV files and TensorBoard, with `write(data)` and `close()`.

  Returns:
    The exit code, see above.

  Raises:
    ValueError: networks, environment and config do not go together, or
      `logger_factory` is no function.
    CheckpointError: the run cannot go on from its checkpoint, or is of another
      experiment.
    OSError: the run directory holds a run already, or nothing to resume, or is
      in use, or cannot be written.
    RuntimeError: this is not the main thread.
  """
  signals.check_main_thread()
  if logger_factory is not None:
    checks.function('logger_factory', logger_factory)
  processes.join(config.coordinator, config.process_id, config.num_processes)
  if environment is None:
    environment = config.make_environment()
  path = config.run_dir or time.strftime(f'runs/{config.game}/%Y%m%d-%H%M%S')
  of_all = run_dir.RunDirectory(path)
  runs = [
    _make_session(each, environment, torso, logger_factory)
    for each in _one_by_one(config, of_all)
  ]
  is_compiled = isinstance(environment, environments.FunctionalEnvironment)
  if len(runs) > 1 and not is_compiled:
    raise ValueError(
      f'seeds is {config.seeds!r}: it must be one at most where environments '
      'are stepped on the host; train each in a process of its own.'
    )
  num_agents = len(runs[0][0].networks.agent_ids)
  devices = mesh.make(
    config.mesh, config.agent, num_agents, is_compiled, len(runs)
  )
  code = _run(runs, config, of_all, devices)
  if code == 1:
    processes.leave(code)
  return code


def _one_by_one(
  config: config_lib.TrainConfig, of_all: run_dir.RunDirectory
) -> list[config_lib.TrainConfig]:
  """Returns the configuration of each run."""
  if not config.seeds:
    return [dataclasses.replace(config, run_dir=str(of_all.path))]
  of_all.check()  # It is no run itself.
  directories = [
    run_dir.RunDirectory(of_all.path / f'seed_{seed}') for seed in config.seeds
  ]
  begun = [directory.config_path.exists() for directory in directories]
  return [
    dataclasses.replace(
      config,
      seed=seed,
      seeds=(),
      run_dir=str(directory.path),
      # What stopped before all had begun begins the rest.
      resume=config.resume and (has_begun or not any(begun)),
    )
    for seed, directory, has_begun in zip(
      config.seeds, directories, begun, strict=True
    )
  ]


def _run(
  runs: Sequence[tuple[session_lib.Session, start.Run]],
  config: config_lib.TrainConfig,
  of_all: run_dir.RunDirectory,
  devices: Any,
) -> int:
  """Trains, says how it ended, and returns the exit code."""
  sessions = [session for session, _ in runs]
  directories = [session.directory for session in sessions]
  writes = processes.is_first()
  failed = False
  started = start.start(
    [run for _, run in runs],
    allow_changes=config.allow_changes,
    writes=writes,
    wait=lambda: processes.agree(0),
  )
  agreed = 0  # The signal that ends all processes; each has its own besides.
  # Signals first: none may be lost once the directory is there.
  with signals.Signals() as received, started:

    def stopping() -> bool:
      nonlocal agreed
      agreed = processes.agree(received.number)
      return agreed > 0

    shown = progress.Progress(directories, config.num_steps)
    with shown if writes else contextlib.nullcontext():
      try:
        seeds.train(sessions, stopping, devices)
        processes.agree(0)  # Nobody ends before all is written.
      except Exception as error:  # noqa: BLE001  Told, with the exit code.
        failed = True
        error = processes.explain(error)
        if writes:
          for directory in directories:
            failures.report_exception(directory.failure_path, 'train', error)
        else:
          traceback.print_exception(error)
    is_done = not failed and all(session.is_done for session in sessions)
    if not writes:
      return 1 if failed else 0 if is_done else 128 + agreed
    return outcome.conclude(
      directories[0], is_done=is_done, signal_number=agreed, of_all=of_all
    )


def _make_session(
  config: config_lib.TrainConfig,
  environment: Environment,
  torso: base_networks.Torso | None,
  logger_factory: loggers.LoggerFactory | None,
) -> tuple[session_lib.Session, start.Run]:
  """Makes the session of a run, and what says how it starts."""
  agent = config.agent
  pure: environments.FunctionalEnvironment | None = None
  make_host: Callable[[int], dm_env.Environment]
  if isinstance(environment, environments.FunctionalEnvironment):
    pure = environment
    make_host = functools.partial(environments.MultiAgentEnvironment, pure)
  else:
    make_host = environment
  with contextlib.closing(make_host(config.seed)) as host:
    spec = specs.make_environment_spec(wrap.wrap_environment(host, agent))
  networks = networks_lib.from_spec(spec, agent, torso)
  identity = identity_lib.make_identity(
    'InfluenceBuilder', spec, {'environment': config.game}
  )
  session = session_lib.Session(
    agent,
    networks,
    policy_lib.make_joint_policy(networks, agent),
    rollout_makers.compiled(pure, networks, agent)
    if pure is not None
    else rollout_makers.on_host(
      lambda seed: wrap.wrap_environment(make_host(seed), agent),
      networks,
      agent,
      config.seed,
    ),
    run_dir.RunDirectory(config.run_dir),
    identity,
    num_steps=config.num_steps,
    seed=config.seed,
    checkpoint_seconds=config.checkpoint_seconds,
    allow_changes=config.allow_changes,
    logger_factory=logger_factory,
  )
  population = population_config.make(agent, networks, spec, pure)
  settings = {'environment': config.game, **vars(config)}
  for name in ('coordinator', 'process_id', 'num_processes', 'seeds'):
    del settings[name]  # Of a process, not of the run.
  if pure is not None:  # All its fields are written down, with their values.
    for name in ('num_agents', 'episode_length', 'game_options'):
      del settings[name]
  return session, start.Run(
    session.directory,
    {**settings, **population.to_settings()},
    session.restore,
    config.resume,
  )
