"""The graph of a program: replay, learner, actors, and who talks to whom.

    actor_0 ... actor_{n-1}  -- rows -->      replay
    actor_0 ... actor_{n-1}  -- counts -->    learner
    actor_0 ... actor_{n-1}  <- parameters -- learner
                                learner  <- batches -- replay

In a population of Acme's agents each has a replay of its own. The graph is the
same however it is launched, see `launch`.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import launchpad as lp
import reverb
from acme import specs

from influence_acme import environments, xla_threads
from influence_acme.programs import (
  actor_node,
  blocking,
  learner_node,
  placement,
  replays,
  supervisor,
)
from influence_acme.programs import experiment as experiment_lib
from influence_acme.runs import run_dir


@dataclasses.dataclass(frozen=True)
class Program:
  """Holds the nodes that `launch` runs.

  Attributes:
    experiment: what is run.
    environment_spec: of its environment.
    functional: the pure functions of its environment; None if it has none.
    graph: the nodes that this host runs, in the groups 'replay', 'learner' and
      'actor'.
    hosts: where the others run; None: there are no others.
  """

  experiment: experiment_lib.Experiment
  environment_spec: specs.EnvironmentSpec
  functional: environments.FunctionalEnvironment | None
  graph: lp.Program
  hosts: placement.Placement | None = None

  @property
  def directory(self) -> run_dir.RunDirectory:
    """The run's directory, as this host uses it."""
    return _directory(self.experiment, self.hosts)


def make_program(
  experiment: experiment_lib.Experiment,
  hosts: placement.Placement | None = None,
) -> Program:
  """Makes the program of an experiment; nothing is started yet.

  Args:
    experiment: what to run.
    hosts: where its nodes run, of `read_placement`; None: all of them here.

  Returns:
    The program, or this host's part of it.

  Raises:
    ValueError: the experiment contradicts itself, or the hosts do not fit it.
  """
  experiment.check_batch_size()
  if experiment.num_environments:
    # All that takes long each thread of such a program computes alone.
    xla_threads.disable_intra_op_threads()
  spec, functional = experiment.read_environment()
  failure_path = _directory(experiment, hosts).failure_path
  graph = lp.Program('influence_acme')
  with graph.group('replay'):
    replay = {
      name: graph.add_node(
        supervisor.ReverbNode(
          name,
          failure_path,
          functools.partial(_make_tables, experiment, spec, name),
        )
      )
      for name in replays.make_tables(experiment, spec)
    }
  with graph.group('learner'):
    learner = graph.add_node(
      supervisor.CourierNode(
        'learner', failure_path, _make_learner, experiment, spec, replay
      )
    )
  with graph.group('actor'):
    for actor_id in range(experiment.num_actors):
      graph.add_node(
        supervisor.ClassNode(
          f'actor_{actor_id}',
          failure_path,
          _make_actor,
          experiment,
          actor_id,
          replay,
          learner,
        )
      )
  if hosts is not None:
    graph = hosts.place(graph)
  return Program(experiment, spec, functional, graph, hosts)


def _directory(
  experiment: experiment_lib.Experiment, hosts: placement.Placement | None
) -> run_dir.RunDirectory:
  host = '' if hosts is None or hosts.is_home else hosts.name
  return run_dir.RunDirectory(experiment.run_dir, host)


def _make_tables(
  experiment: experiment_lib.Experiment, spec: specs.EnvironmentSpec, name: str
) -> list[reverb.Table]:
  return replays.make_tables(experiment, spec)[name]


def _connect(
  replay: dict[str, reverb.Client], stopping: Callable[[], bool]
) -> dict[str, blocking.StoppableReplay]:
  """Returns clients whose calls end when the program stops."""
  return {
    name: blocking.StoppableReplay(client.server_address, stopping)
    for name, client in replay.items()
  }


def _make_learner(
  experiment: experiment_lib.Experiment,
  spec: specs.EnvironmentSpec,
  replay: dict[str, reverb.Client],
) -> learner_node.LearnerNode:
  """Makes the learner, which ends at a stop or at the budget."""
  stopping = lp.stop_event().is_set
  return learner_node.LearnerNode(
    experiment, spec, _connect(replay, stopping), stopping
  )


def _make_actor(
  experiment: experiment_lib.Experiment,
  actor_id: int,
  replay: dict[str, reverb.Client],
  learner: Any,
) -> actor_node.ActorNode:
  """Makes an actor, which stops after the step in which it is told to."""
  stop = lp.stop_event()

  def stop_if_told() -> None:
    if stop.is_set():
      raise blocking.StoppedError

  return actor_node.ActorNode(
    experiment,
    actor_id,
    _connect(replay, stop.is_set),
    blocking.StoppableClient(learner, stop.is_set),
    stop_if_told,
  )
