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
  replays,
  supervisor,
)
from influence_acme.programs import experiment as experiment_lib


@dataclasses.dataclass(frozen=True)
class Program:
  """Holds the nodes that `launch` runs.

  Attributes:
    experiment: what is run.
    environment_spec: of its environment.
    functional: the pure functions of its environment; None if it has none.
    graph: the nodes, in the groups 'replay', 'learner' and 'actor'.
  """

  experiment: experiment_lib.Experiment
  environment_spec: specs.EnvironmentSpec
  functional: environments.FunctionalEnvironment | None
  graph: lp.Program


def make_program(experiment: experiment_lib.Experiment) -> Program:
  """Makes the program of an experiment; nothing is started yet.

  Args:
    experiment: what to run.

  Returns:
    The program.
  """
  experiment.check_batch_size()
  if experiment.num_environments:
    # All that takes long each thread of such a program computes alone.
    xla_threads.disable_intra_op_threads()
  spec, functional = experiment.read_environment()
  failure_path = experiment.directory.failure_path
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
  return Program(experiment, spec, functional, graph)


def _make_tables(
  experiment: experiment_lib.Experiment,
  spec: specs.EnvironmentSpec,
  name: str,
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
