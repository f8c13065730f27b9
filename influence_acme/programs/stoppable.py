"""Makes the nodes of Acme's own layouts end where the program stops.

Launchpad waits for all nodes at the end, and then kills those that still wait
inside a library: a learner for samples, an actor for room in the replay or for
parameters.
"""

from collections.abc import Callable, Iterator
from typing import Any

import chex
import launchpad as lp
import reverb
from acme import adders as adders_lib
from acme import core

from influence_acme.multiagent import builder_wrapper
from influence_acme.programs import blocking


class StoppableBuilder(builder_wrapper.BuilderWrapper):
  """Wraps any builder for `DistributedLayout`, launched by `lp.launch`."""

  def make_dataset_iterator(
    self, replay_client: reverb.Client
  ) -> Iterator[reverb.ReplaySample]:
    """Makes the agent's dataset, which ends with the program."""
    dataset = super().make_dataset_iterator(replay_client)
    return blocking.StoppableIterator(dataset, _stopping())

  def make_adder(self, replay_client: reverb.Client) -> adders_lib.Adder | None:
    """Makes the agent's adder, which waits for room no longer than that."""
    address = replay_client.server_address
    return super().make_adder(blocking.StoppableReplay(address, _stopping()))

  def make_actor(
    self,
    random_key: chex.PRNGKey,
    policy_network: Any,
    adder: adders_lib.Adder | None = None,
    variable_source: core.VariableSource | None = None,
  ) -> core.Actor:
    """Makes the agent's actor, which waits for parameters no longer either."""
    source: Any = variable_source
    if source is not None:
      source = blocking.StoppableClient(source, _stopping())
    return super().make_actor(random_key, policy_network, adder, source)


def _stopping() -> Callable[[], bool]:
  """Returns whether the program stops, as the calling node knows it."""
  stopping: Callable[[], bool] = lp.stop_event().is_set
  return stopping
