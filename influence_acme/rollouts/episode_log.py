"""Computes metrics of a rollout's episodes for the logs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from influence_acme.metrics import coordination
from influence_acme.metrics import episode as episode_metrics
from influence_acme.rollouts import episodes as episodes_lib


def measure(episode: episodes_lib.Episode, networks: Any) -> dict[str, Any]:
  """Computes the metrics of an episode, the same as in an environment loop.

  Args:
    episode: an ended one.
    networks: of the population in it.
  """
  agent_ids = networks.agent_ids
  returns = episode.totals.returns.tolist()
  measured = {
    'episode_length': episode.totals.num_steps,
    'episode_return': dict(zip(agent_ids, returns, strict=True)),
    **episode_metrics.of_group(episode.totals, agent_ids),
    **episode_metrics.of_influence(episode.influence),
  }
  if episode.choices is None:
    return measured
  choices = coordination.make_choices(
    episode.choices, networks.num_actions, networks.num_symbols
  )
  return {**measured, **coordination.of_choices(choices, episode.influence)}


def mean(
  episodes: Sequence[episodes_lib.Episode], networks: Any
) -> dict[str, Any]:
  """Averages the metrics of several episodes, as of `measure`."""
  return _mean([measure(episode, networks) for episode in episodes])


def _mean(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
  """Averages each metric over the episodes that define it.

  A metric that is NaN in an episode is left out; one that is NaN in all of them
  stays NaN.
  """
  means: dict[str, Any] = {}
  for name in dict.fromkeys(name for each in measured for name in each):
    values = [each[name] for each in measured if name in each]
    if isinstance(values[0], Mapping):
      means[name] = _mean(values)
    else:
      defined = [value for value in values if not math.isnan(value)]
      means[name] = float(np.mean(defined)) if defined else math.nan
  return means
