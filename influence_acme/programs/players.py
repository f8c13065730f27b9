"""The two nodes that play: step by step, or many environments at once."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from influence_acme.programs import actor_node, blocking, rollout_node
from influence_acme.programs import experiment as experiment_lib


class Actor(Protocol):
  """What a node plays with."""

  def update(self, wait: bool = False) -> None:
    """Fetches the learner's parameters."""


class Player(Protocol):
  """A node that plays.

  Attributes:
    actor: what it plays with.
    parts: what must be saved to go on exactly, by name.
  """

  @property
  def actor(self) -> Actor:
    """See the class."""

  @property
  def parts(self) -> Mapping[str, Any]:
    """See the class."""

  def run(self) -> None:
    """Plays until the program stops."""

  def play(self) -> None:
    """Plays and logs one turn: an episode, or an unroll."""

  def close(self) -> None:
    """Closes logs, and the way into the replay."""


def make_player(
  experiment: experiment_lib.Experiment,
  actor_id: int,
  replay: Mapping[str, blocking.StoppableReplay],
  learner: Any,
  after_step: Callable[[], None],
  *,
  in_turn: bool = False,
) -> Player:
  """Makes the node that the experiment asks for.

  Args:
    experiment: what is run.
    actor_id: the actor's number, from 0.
    replay: where it writes, by name.
    learner: the learner node, or a client of it.
    after_step: called whenever there may be something new in the replay: after
      every environment step, or every sequence that is written.
    in_turn: whether all nodes are called in turn.
  """
  is_vectorised = experiment.num_environments > 0
  make = rollout_node.RolloutNode if is_vectorised else actor_node.ActorNode
  return make(
    experiment, actor_id, replay, learner, after_step, in_turn=in_turn
  )
