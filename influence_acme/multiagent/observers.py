"""Computes metrics of a group of agents, as observers of Acme's loop.

    watched = observers.InfluenceObserver()
    actor = make_actor(InfluenceAdder(watched.watch(adder), ...))
    loop = EnvironmentLoop(
      environment,
      actor,
      observers=observers.make_observers(environment.action_spec(), watched),
    )

Rewards are the environment's, by agent id. The metrics, and the cases in which
they are NaN, are described in `metrics.episode` and `metrics.coordination`.
Letters: T steps of an episode, N agents.
"""

from collections.abc import Mapping
from typing import Any

import dm_env
import jax
import numpy as np
from acme import adders
from acme.utils.observers import base
from dm_env import specs as dm_specs

from influence_acme import types
from influence_acme.adders import wrapper
from influence_acme.metrics import coordination, episode
from influence_acme.system import specs


class _EpisodeObserver(base.EnvLoopObserver):
  """Defines observers that keep what they see of each step of an episode."""

  def __init__(self) -> None:
    self._steps: list[Any] = []
    self._environment: dm_env.Environment | None = None
    self._agent_ids: tuple[types.AgentId, ...] = ()

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Starts an episode, and drops the last one."""
    del timestep
    self._environment = env
    self._agent_ids = specs.agent_ids(env)
    self._steps = []


class SocialObserver(_EpisodeObserver):
  """Measures the rewards and events of an episode: size, equality and time.

  Events are those of the environment's `events()`, if it has it.
  """

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Stores one step's rewards."""
    del env, action
    reward = types.in_order(timestep.reward, self._agent_ids, 'reward')
    self._steps.append(list(reward.values()))

  def get_metrics(self) -> dict[str, Any]:
    """Returns `episode.of_group` of the episode."""
    if not self._steps:
      return {}
    rewards = np.array(self._steps, np.float32)  # [T, N]
    events = getattr(self._environment, 'events', dict)
    totals = episode.make_totals(rewards, events())
    return episode.of_group(totals, self._agent_ids)


class AdderObserver(base.EnvLoopObserver):
  """Defines observers that get the steps from an adder, not from the loop."""

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Does nothing."""

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Does nothing."""


class InfluenceObserver(AdderObserver):
  """Measures the share of an episode's steps that are influential.

  The loop does not pass the influence: the observer reads it from the parts
  that an `InfluenceAdder` adds to the extras for its inner adder. So it is the
  influence reward before its weight: by the reward's own measure, and for
  agents that are rewarded for being influenced also the influence that they
  received.
  """

  def __init__(self) -> None:
    self._influence: list[Any] = []
    self._agent_ids: tuple[types.AgentId, ...] = ()

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Reads the agents' order."""
    del timestep
    self._agent_ids = specs.agent_ids(env)

  def watch(self, adder: adders.Adder) -> adders.Adder:
    """Wraps an adder; put an `InfluenceAdder` with `keep_parts` around it."""
    return _WatchedAdder(adder, self._influence)

  @property
  def influence(self) -> np.ndarray | None:
    """Influence of the episode, float32 [T, N], nats; None if there is none.

    Raises:
      ValueError: it is by agent id, and not of the environment's agents.
    """
    if not self._influence:
      return None
    steps = [self._in_order(step) for step in self._influence]
    return np.stack(steps).reshape(len(steps), -1)

  def get_metrics(self) -> dict[str, float]:
    """Returns `episode.of_influence` of the episode."""
    influence = self.influence
    return {} if influence is None else episode.of_influence(influence)

  def _in_order(self, influence: Any) -> np.ndarray:
    """Returns the influence of one step in the agents' order."""
    if isinstance(influence, Mapping):
      by_agent = types.in_order(influence, self._agent_ids, "'influence'")
      influence = list(by_agent.values())
    return np.stack(jax.tree_util.tree_leaves(influence))


class ChoiceObserver(_EpisodeObserver):
  """Measures coordination of agents and consistency of their messages."""

  def __init__(
    self,
    action_spec: Mapping[types.AgentId, Any],
    watched: InfluenceObserver | None = None,
    *,
    with_control: bool = False,
  ):
    """Makes the observer.

    Args:
      action_spec: of the environment: of each agent a `DiscreteArray`, or
        'action' and 'message', such arrays.
      watched: has the influence reward, which gives the influential steps; None
        without influence.
      with_control: if True, measures scrambled messages, too.
    """
    super().__init__()
    self._num_actions, self._num_symbols = num_choices(action_spec)
    self._watched = watched
    self._with_control = with_control

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Stores everyone's actions and messages."""
    del env, timestep
    self._steps.append(specs.stack_actions(action, self._agent_ids))

  def get_metrics(self) -> dict[str, float]:
    """Returns `coordination.of_choices`, and `of_scrambled`, of the episode."""
    if not self._steps:
      return {}
    chosen = jax.tree_util.tree_map(lambda *x: np.stack(x), *self._steps)
    choices = coordination.make_choices(
      chosen, self._num_actions, self._num_symbols
    )
    influence = None if self._watched is None else self._watched.influence
    measured = coordination.of_choices(choices, influence)
    if self._with_control:
      measured |= coordination.of_scrambled(choices, influence)
    return measured


def make_observers(
  action_spec: Mapping[types.AgentId, Any], watched: InfluenceObserver
) -> list[base.EnvLoopObserver]:
  """Returns all observers that fit a multi-agent environment.

  Args:
    action_spec: of the environment.
    watched: gets the influence, if there is any.
  """
  num_actions, _ = num_choices(action_spec)
  choices = [ChoiceObserver(action_spec, watched)] if num_actions else []
  return [SocialObserver(), watched, *choices]


def num_choices(action_spec: Mapping[types.AgentId, Any]) -> tuple[int, int]:
  """Returns the largest numbers of actions and of symbols of any agent.

  They are 0 if no agent has such a choice, or one is not discrete.
  """

  def most(parts: list[Any]) -> int:
    discrete = [p for p in parts if isinstance(p, dm_specs.DiscreteArray)]
    return max((p.num_values for p in discrete), default=0)

  both = [
    (part['action'], part['message'])
    if isinstance(part, Mapping) and {'action', 'message'} <= part.keys()
    else (part, None)
    for part in action_spec.values()
  ]
  return most([action for action, _ in both]), most([said for _, said in both])


class _WatchedAdder(wrapper.AdderWrapper):
  """Forwards all calls, and keeps an episode's influence in a list."""

  def __init__(self, adder: adders.Adder, influence: list[Any]):
    super().__init__(adder)
    self._influence = influence

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    self._influence.clear()
    super().add_first(timestep)

  def add(
    self, action: Any, next_timestep: dm_env.TimeStep, extras: Any = ()
  ) -> None:
    if isinstance(extras, Mapping) and 'influence' in extras:
      self._influence.append(extras['influence'])
    super().add(action, next_timestep, extras)

  def reset(self, timeout_ms: int | None = None) -> None:
    self._influence.clear()
    super().reset(timeout_ms)
