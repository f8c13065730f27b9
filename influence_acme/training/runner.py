"""Runs the fused trainer to its step budget, and says how it ended.

0    the step budget is reached
1    it failed: failure.txt in the run directory has the traceback
130  Ctrl-C
143  SIGTERM
"""

import contextlib
import functools
import time
import traceback
from collections.abc import Callable
from typing import Any

import dm_env

from influence_acme import checks, environments
from influence_acme import networks as base_networks
from influence_acme.rollouts import (
  host_environments,
  layout,
  unroll,
  vector_environment,
)
from influence_acme.runs import (
  failures,
  loggers,
  outcome,
  population_config,
  progress,
  random_keys,
  run_dir,
  signals,
  start,
)
from influence_acme.runs import identity as identity_lib
from influence_acme.system import networks as networks_lib
from influence_acme.system import policy as policy_lib
from influence_acme.system import specs, wrap
from influence_acme.training import config as config_lib
from influence_acme.training import mesh, processes
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
    config: of the run.
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
  session, settings = _make_session(config, environment, torso, logger_factory)
  code = _run(session, settings, config)
  if code == 1:
    processes.leave(code)
  return code


def _run(
  session: session_lib.Session,
  settings: dict[str, Any],
  config: config_lib.TrainConfig,
) -> int:
  """Trains, says how it ended, and returns the exit code."""
  directory, writes = session.directory, processes.is_first()
  failed = False
  started = start.start(
    directory,
    settings,
    session.restore,
    resume=config.resume,
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

    shown = progress.Progress(directory, config.num_steps)
    with shown if writes else contextlib.nullcontext():
      try:
        session.train(stopping)
        processes.agree(0)  # Nobody ends before all is written.
      except Exception as error:  # noqa: BLE001  Told, with the exit code.
        failed = True
        error = processes.explain(error)
        if writes:
          failures.report_exception(directory.failure_path, 'train', error)
        else:
          traceback.print_exception(error)
    is_done = not failed and session.environment_steps >= config.num_steps
    if not writes:
      return 1 if failed else 0 if is_done else 128 + agreed
    return outcome.conclude(directory, is_done=is_done, signal_number=agreed)


def _make_session(
  config: config_lib.TrainConfig,
  environment: Environment | None,
  torso: base_networks.Torso | None,
  logger_factory: loggers.LoggerFactory | None,
) -> tuple[session_lib.Session, dict[str, Any]]:
  """Makes the session of a run, and all its settings by name."""
  agent = config.agent
  if environment is None:
    environment = config.make_environment()
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
  path = config.run_dir or time.strftime(f'runs/{config.game}/%Y%m%d-%H%M%S')
  devices = mesh.make(
    config.mesh, agent, len(networks.agent_ids), pure is not None
  )
  session = session_lib.Session(
    agent,
    networks,
    policy_lib.make_joint_policy(networks, agent),
    functional_rollout(pure, networks, agent)
    if pure is not None
    else host_rollout(
      lambda seed: wrap.wrap_environment(make_host(seed), agent),
      networks,
      agent,
      config.seed,
    ),
    run_dir.RunDirectory(path),
    identity,
    num_steps=config.num_steps,
    seed=config.seed,
    checkpoint_seconds=config.checkpoint_seconds,
    mesh=devices,
    allow_changes=config.allow_changes,
    logger_factory=logger_factory,
  )
  population = population_config.make(agent, networks, spec, pure)
  settings = {'environment': config.game, **vars(config)}
  for name in ('coordinator', 'process_id', 'num_processes'):
    del settings[name]  # Of a process, not of the run.
  if pure is not None:  # All its fields are written down, with their values.
    for name in ('num_agents', 'episode_length', 'game_options'):
      del settings[name]
  return session, {**settings, **population.to_settings()}


def functional_rollout(
  environment: environments.FunctionalEnvironment,
  networks: networks_lib.InfluenceNetworks,
  agent: Any,
) -> session_lib.MakeRollout:
  """Returns the maker of a rollout in compiled environments."""
  vectorised = vector_environment.VectorEnvironment(
    environment, networks.num_symbols > 0
  )

  def make(policy, first_step):
    del first_step  # The environments' keys depend on it alone.
    rollout = unroll.make_rollout(
      vectorised, policy, agent.unroll_length, layout.to_learner
    )
    return rollout, lambda: None

  return make


def host_rollout(
  make_environment: Callable[[int], dm_env.Environment],
  networks: networks_lib.InfluenceNetworks,
  agent: Any,
  seed: int,
) -> session_lib.MakeRollout:
  """Returns the maker of a rollout in environments on the host.

  Args:
    make_environment: of a seed; wrapped for the agents.
    networks: of the population.
    agent: configuration of the agents.
    seed: of the run.
  """

  def make(policy, first_step):
    with contextlib.ExitStack() as stack:
      made = []
      for i in range(agent.batch_size):
        made.append(
          make_environment(random_keys.environment_seed(seed, i, first_step))
        )
        stack.callback(made[-1].close)
      batch = host_environments.HostEnvironments(made, networks.agent_ids)
      stack.pop_all()  # All are made: the batch closes them.
    rollout = host_environments.make_rollout(
      batch, policy, agent.unroll_length, layout.to_learner
    )
    return rollout, batch.close

  return make
