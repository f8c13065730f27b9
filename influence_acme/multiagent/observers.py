"""Observers of Acme's environment loop: how a group of agents fares.

    watched = observers.InfluenceObserver()
    actor = make_actor(InfluenceAdder(watched.watch(adder), ...))
    loop = EnvironmentLoop(
      environment,
      actor,
      observers=observers.make_observers(environment.action_spec(), watched),
    )

Rewards are the environment's, by agent id. What they log, and when it is NaN,
`measures` says. Letters: T steps of an episode, N agents.
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
from influence_acme.metrics import coordination, episode
from influence_acme.system import specs


class SocialObserver(base.EnvLoopObserver):
  """Measures what the agents of an episode get and do, how equally, and when.

  What they do, environments with `events()` tell: ours do.
  """

  def __init__(self) -> None:
    self._rewards: list[dict[types.AgentId, Any]] = []
    self._environment: dm_env.Environment | None = None

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Begins an episode; the last one is forgotten."""
    del timestep
    self._environment = env
    self._rewards = []

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Takes note of one step's rewards."""
    del env, action
    self._rewards.append(dict(timestep.reward))

  def get_metrics(self) -> dict[str, Any]:
    """Returns `measures.of_group` of the episode."""
    if not self._rewards:
      return {}
    rewards = np.array(
      [list(step.values()) for step in self._rewards], np.float32
    )  # [T, N]
    events = getattr(self._environment, 'events', dict)
    totals = episode.make_totals(rewards, events())
    return episode.of_group(totals, tuple(self._rewards[0]))


class AdderObserver(base.EnvLoopObserver):
  """An observer whom an adder tells of the steps, before the loop does."""

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Does nothing."""

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Does nothing."""


class InfluenceObserver(AdderObserver):
  """Measures how many steps of an episode are influential.

  The loop does not show it the influence: it reads it from the parts that an
  `InfluenceAdder` puts into the extras, on their way to the adder within. So it
  is what is paid, before its weight: by the reward's own measure, and of agents
  that are paid for being influenced also what they received.
  """

  def __init__(self) -> None:
    self._influence: list[np.ndarray] = []

  def watch(self, adder: adders.Adder) -> adders.Adder:
    """Returns an adder for an `InfluenceAdder`, with `keep_parts`, to wrap.

    Args:
      adder: gets everything as it came.
    """
    return _WatchedAdder(adder, self._influence)

  @property
  def influence(self) -> np.ndarray | None:
    """float32 [T, N], nats, of the episode; None if there is none to read."""
    if not self._influence:
      return None
    return np.stack(self._influence).reshape(len(self._influence), -1)

  def get_metrics(self) -> dict[str, float]:
    """Returns `measures.of_influence` of the episode."""
    influence = self.influence
    return {} if influence is None else episode.of_influence(influence)


class ChoiceObserver(base.EnvLoopObserver):
  """Measures whether messages mean something, and whether agents coordinate."""

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
      watched: knows which steps were influential, by what is paid; None if
        nobody does.
      with_control: whether it measures scrambled messages, too.
    """
    self._agent_ids = tuple(action_spec)
    self._num_actions, self._num_symbols = num_choices(action_spec)
    self._watched = watched
    self._with_control = with_control
    self._choices: list[Any] = []

  def observe_first(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep
  ) -> None:
    """Begins an episode; the last one is forgotten."""
    del env, timestep
    self._choices = []

  def observe(
    self, env: dm_env.Environment, timestep: dm_env.TimeStep, action: Any
  ) -> None:
    """Takes note of what everybody did, and said."""
    del env, timestep
    self._choices.append(specs.stack_actions(action, self._agent_ids))

  def get_metrics(self) -> dict[str, float]:
    """Returns `coordination.of_choices`, and `of_scrambled`, of the episode."""
    if not self._choices:
      return {}
    chosen = jax.tree_util.tree_map(lambda *x: np.stack(x), *self._choices)
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
  """Returns all observers that make sense for an environment of many agents.

  Args:
    action_spec: of the environment.
    watched: is told of the influence, if there is any.
  """
  num_actions, _ = num_choices(action_spec)
  choices = [ChoiceObserver(action_spec, watched)] if num_actions else []
  return [SocialObserver(), watched, *choices]


def num_choices(action_spec: Mapping[types.AgentId, Any]) -> tuple[int, int]:
  """Returns how many actions agents have, and how many symbols, at most.

  Args:
    action_spec: of an environment.

  Returns:
    Numbers; 0 where nobody has such a choice, or not a discrete one.
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
    if isinstance(extras, Mapping) and 'influence' in extras:
      leaves = jax.tree_util.tree_leaves(extras['influence'])
      self._influence.append(np.stack(leaves))
    self._adder.add(action, next_timestep, extras)

  def reset(self) -> None:
    self._influence.clear()
    self._adder.reset()

  def __getattr__(self, name: str) -> Any:
    """Returns what else the inner adder offers."""
    if name == '_adder':  # Not initialised, as in unpickling: do not recurse.
      raise AttributeError(name)
    return getattr(self._adder, name)
