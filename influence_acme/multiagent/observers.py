"""Observers of Acme's environment loop: how a group of agents fares.

    observer = observers.SocialObserver()
    watched = observers.InfluenceObserver()
    actor = make_actor(InfluenceAdder(watched.watch(adder), ...))
    loop = EnvironmentLoop(environment, actor, observers=[observer, watched])

Rewards are the environment's, by agent id. What has no meaning in an episode,
as the equality of fines, is NaN.
"""

from collections.abc import Mapping
from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders
from acme.utils.observers import base

from influence_acme import ops, types

# Compiled once for each number of agents.
_MEASURES = {
  name: jax.jit(measure)
  for name, measure in (
    ('gini', ops.gini),
    ('equality', ops.equality),
    ('fair_return', ops.fair_return),
  )
}


def measure_returns(
  returns: Mapping[types.AgentId, Any], num_steps: int
) -> dict[str, float]:
  """Measures an episode of which only the returns are known.

  Args:
    returns: agent id -> reward of the whole episode.
    num_steps: its length.

  Returns:
    Name -> measure of `influence_acme.ops`: 'gini', 'equality', 'fair_return'
    and 'efficiency'.
  """
  values = np.array(list(returns.values()), np.float32)
  measures = {
    name: float(measure(values)) for name, measure in _MEASURES.items()
  }
  return {**measures, 'efficiency': float(values.sum()) / num_steps}


class SocialObserver(base.EnvLoopObserver):
  """Measures what the agents of an episode get, how equally, and when."""

  def __init__(self) -> None:
    self._rewards: list[dict[types.AgentId, Any]] = []

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Begins an episode; the last one is forgotten."""
    del env, timestep
    self._rewards = []

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Takes note of one step's rewards."""
    del env, action
    self._rewards.append(dict(timestep.reward))

  def get_metrics(self) -> dict[str, float]:
    """Returns 'collective_return', 'sustainability', and `measure_returns`."""
    if not self._rewards:
      return {}
    rewards = np.array(
      [list(step.values()) for step in self._rewards], np.float32
    )  # [T, N]
    returns = dict(zip(self._rewards[0], rewards.sum(axis=0), strict=True))
    return {
      'collective_return': float(rewards.sum()),
      'sustainability': float(ops.sustainability(rewards)),
      **measure_returns(returns, len(rewards)),
    }


class InfluenceObserver(base.EnvLoopObserver):
  """Measures how many steps of an episode are influential.

  The loop does not show it the influence: it reads it from the parts that an
  `InfluenceAdder` puts into the extras, on their way to the adder within.
  """

  def __init__(self) -> None:
    self._influence: list[np.ndarray] = []

  def watch(self, adder: adders.Adder) -> adders.Adder:
    """Returns an adder for an `InfluenceAdder`, with `keep_parts`, to wrap.

    Args:
      adder: gets everything as it came.
    """
    return _WatchedAdder(adder, self._influence)

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Does nothing: the adder is told of the first time step before."""

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Does nothing: influence may be known a step later."""

  def get_metrics(self) -> dict[str, float]:
    """Returns 'influential_share', of all agents' steps."""
    if not self._influence:
      return {}
    influence = np.stack(self._influence).reshape(len(self._influence), -1)
    share = float(ops.influential_steps(influence).mean())
    return {'influential_share': share}


class _WatchedAdder(adders.Adder):
  """Hands everything on, and keeps an episode's influence in a list."""

  def __init__(self, adder: adders.Adder, influence: list[np.ndarray]):
    self._adder = adder
    self._influence = influence

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    self._influence.clear()
    self._adder.add_first(timestep)

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    leaves = jax.tree_util.tree_leaves(extras['influence'])
    self._influence.append(np.stack(leaves))
    self._adder.add(action, next_timestep, extras)

  def reset(self) -> None:
    self._influence.clear()
    self._adder.reset()
