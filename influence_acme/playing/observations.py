"""Checks observations before they reach a network, which would only say shapes.

Letters: N agents, B environments.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from influence_acme.runs import population_config


class Entry(NamedTuple):
  """Layout of one entry of an agent's observation.

  Attributes:
    shape: without a batch axis.
    dtype: that it must have; None for any integers.
  """

  shape: tuple[int, ...]
  dtype: str | None = None


def entries(population: population_config.PopulationConfig) -> dict[str, Entry]:
  """Returns the entries of an observation that a population's policies read."""
  sizes, agent = population.sizes, population.agent
  of_others = Entry((len(sizes.agent_ids),))
  found = {'world': Entry(sizes.view, sizes.view_dtype)}
  if agent.has_moa or agent.has_influencers:
    found['actions'] = of_others
  if agent.has_messages:
    found['messages'] = of_others
  return found


def select(
  observation: Any,
  agent_id: str,
  expected: Mapping[str, Entry],
  batch_shape: tuple[int, ...],
) -> dict[str, Any]:
  """Returns the entries of one agent's observation that its policy reads.

  All arrays have the batch shape, () or (B,), in front of that of `entries`.

  Raises:
    ValueError: an entry is missing, or of another shape or dtype.
  """
  selected = {}
  for name, entry in expected.items():
    if not isinstance(observation, Mapping) or name not in observation:
      advice = (
        'wrap the environment by policy.wrap(environment).'
        if name in ('actions', 'messages')
        else 'it must be a dict that has it.'
      )
      raise ValueError(
        f'The observation of {agent_id!r} lacks {name!r}: {advice}'
      )
    value = observation[name]
    shape = (*batch_shape, *entry.shape)
    dtype = str(getattr(value, 'dtype', type(value).__name__))
    if np.shape(value) != shape or entry.dtype not in (None, dtype):
      raise ValueError(
        f'{name!r} in the observation of {agent_id!r} is '
        f'{dtype}{list(np.shape(value))}: the policy was trained with '
        f'{entry.dtype or "int32"}{list(shape)}.'
      )
    selected[name] = value
  return selected
