"""Wraps the builder of an Acme agent."""

from collections.abc import Iterator
from typing import Any

import chex
import reverb
from acme import adders as adders_lib
from acme import core, specs
from acme.agents.jax import builders
from acme.utils import counting


class BuilderWrapper(builders.ActorLearnerBuilder):
  """Forwards all calls; subclasses change some of them."""

  def __init__(self, builder: builders.GenericActorLearnerBuilder):
    """Wraps the builder of the inner agent, which gets the calls."""
    self._builder = builder

  def make_replay_tables(
    self, environment_spec: specs.EnvironmentSpec
  ) -> list[reverb.Table]:
    """Makes the inner agent's tables."""
    return self._builder.make_replay_tables(environment_spec)

  def make_dataset_iterator(
    self, replay_client: reverb.Client
  ) -> Iterator[reverb.ReplaySample]:
    """Makes the inner agent's dataset."""
    return self._builder.make_dataset_iterator(replay_client)

  def make_adder(self, replay_client: reverb.Client) -> adders_lib.Adder | None:
    """Makes the inner agent's adder."""
    return self._builder.make_adder(replay_client)

  def make_actor(
    self,
    random_key: chex.PRNGKey,
    policy_network: Any,
    adder: adders_lib.Adder | None = None,
    variable_source: core.VariableSource | None = None,
  ) -> core.Actor:
    """Makes the inner agent's actor."""
    return self._builder.make_actor(
      random_key, policy_network, adder, variable_source
    )

  def make_learner(
    self,
    random_key: chex.PRNGKey,
    networks: Any,
    dataset: Iterator[reverb.ReplaySample],
    replay_client: reverb.Client | None = None,
    counter: counting.Counter | None = None,
  ) -> core.Learner:
    """Makes the inner agent's learner."""
    return self._builder.make_learner(
      random_key, networks, dataset, replay_client, counter
    )
