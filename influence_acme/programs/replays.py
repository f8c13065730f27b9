"""The replays of a program: one, or one for each member of a population.

A builder of Acme's makes tables, and takes a client of their server. One whose
agents each have a replay of their own, `multiagent.PopulationBuilder`, makes
tables by agent id, and takes clients by agent id.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import reverb
from acme import specs
from acme.utils.loggers import base as loggers

from influence_acme.agents.influence import builder as influence_builder
from influence_acme.programs import experiment as experiment_lib

T = TypeVar('T')
U = TypeVar('U')

# What the replay is called where there is one.
_ONLY = 'replay'


def make_tables(
  experiment: experiment_lib.Experiment, spec: specs.EnvironmentSpec
) -> dict[str, list[reverb.Table]]:
  """Returns name of the replay -> the tables of its server."""
  builder: Any = experiment.builder_factory(loggers.NoOpLogger())
  # The rows of the paper's agent hold states of its networks: the user's own.
  networks = (
    (experiment.network_factory(spec),)
    if isinstance(builder, influence_builder.InfluenceBuilder)
    else ()
  )
  tables: Any = builder.make_replay_tables(spec, *networks)
  return dict(tables) if isinstance(tables, Mapping) else {_ONLY: tables}


def for_builder(clients: Mapping[str, T]) -> Any:
  """Returns the clients by name as the experiment's builder takes them."""
  return clients[_ONLY] if list(clients) == [_ONLY] else clients


def each(function: Callable[[T], U], of_builder: Any) -> Any:
  """Applies a function to what a builder made of a replay, or of each."""
  if isinstance(of_builder, Mapping):
    return {name: function(value) for name, value in of_builder.items()}
  return function(of_builder)
