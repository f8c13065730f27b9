"""Wraps an Acme adder to add social influence to the rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import dm_env
import jax
import numpy as np
from acme import specs, types
from acme.adders import base

from influence_acme import checks
from influence_acme.adders import parts, wrapper

_SCALAR_REWARD = specs.Array((), np.float32)


class InfluenceStep(NamedTuple):
  """Holds one environment step, the input of `influence_fn`.

  Attributes:
    observation: o_t, before the action.
    action: a_t.
    reward: e_t, the extrinsic reward of a_t; a tree of arrays.
    discount: d_t, the environment's discount after a_t.
    next_observation: o_{t+1}, after the action.
    extras: passed by the actor to `add`, with `influence_inputs`.
  """

  observation: types.NestedArray
  action: types.NestedArray
  reward: types.NestedArray
  discount: types.NestedArray
  next_observation: types.NestedArray
  extras: types.NestedArray


InfluenceFn = Callable[[InfluenceStep, InfluenceStep | None], types.NestedArray]
LastInfluenceFn = Callable[[InfluenceStep], types.NestedArray]


class _Pending(NamedTuple):
  """Holds a step that is not yet written, with the weight of its own time."""

  step: InfluenceStep
  next_timestep: dm_env.TimeStep
  weight: parts.Weight


class InfluenceAdder(wrapper.AdderWrapper):
  """Writes r_t = e_t + w(t) * c_t in place of the caller's reward e_t.

  This is the reward of Jaques et al. (2019) with alpha = 1. The influence c_t
  is added in the row of the action or symbol that caused it. If c_t is known
  only at step t+1 (`delay=1`), the adder holds one step back. An episode of
  three steps, with the LAST observation o_3:

    calls      add_first(o_0)  add(a_0, o_1)  add(a_1, o_2)  add(a_2, o_3)

    delay=0
      computes                 c_0(0, None)   c_1(1, None)   c_2(2, None)
      writes   o_0             step 0         step 1         step 2

    delay=1
      computes                 -              c_0(0, 1)      c_1(1, 2); c_2 = 0
      writes   o_0             -              step 0         steps 1 and 2

  The inner adder gets the same calls in the same order as it would without
  this one: its sequences and ends of episodes do not change, an n-step adder
  sums changed rewards (and keeps the parts of the first step), and the row that
  Acme adds for a LAST observation is zero throughout.

  The actor computes outputs of networks when it observes the step, and passes
  them in `extras['influence_inputs']`: the influence function, which is pure,
  gets them, the inner adder does not. With `delay=0` the function is called for
  the last step of an episode too, and the discount does not mark it (a time
  limit leaves 1): if influence is on actions after that step, as with a model
  of the others' next actions, the actor masks its inputs once
  `next_timestep.last()`; with `delay=1` c_2 is the result of
  `last_influence_fn`, if given.
  """

  def __init__(
    self,
    adder: base.Adder,
    influence_fn: InfluenceFn,
    weight: parts.Weight | Callable[[int], parts.Weight] = 1.0,
    *,
    delay: int = 0,
    keep_parts: bool = True,
    steps_fn: Callable[[], int] | None = None,
    last_influence_fn: LastInfluenceFn | None = None,
  ):
    """Initialises the adder.

    Args:
      adder: any Acme adder; it gets the changed steps.
      influence_fn: returns c_t in nats, float32 and shaped like the reward, for
        step t and the following step (None if `delay` is 0).
      weight: w, a number; an array of the reward's shape, as of stacked agents
        with different weights; or a pure function of the number of steps.
      delay: 0 if c_t is known at step t, 1 if only at step t+1.
      keep_parts: if True, the extras get `extrinsic` (e_t) and `influence`
        (c_t, unweighted), both float32 and shaped like the reward; extras that
        are None or () become a dict. See `extras_spec` for the table.
      steps_fn: returns the number of (global) environment steps so far, for a
        `weight` that is a function; called once a step.
      last_influence_fn: returns c_t of an episode's last step, for that step,
        if `delay` is 1. None for 0, as no agent acts after it.

    Raises:
      ValueError: an argument is out of range, missing or superfluous.
    """
    checks.function('influence_fn', influence_fn)
    checks.integer('delay', delay, 0, 1, ', in steps')
    checks.flag('keep_parts', keep_parts)
    for name, given in (
      ('steps_fn', steps_fn),
      ('last_influence_fn', last_influence_fn),
    ):
      if given is not None:
        checks.function(name, given)
    if last_influence_fn is not None and not delay:
      raise ValueError('last_influence_fn is for a delay of 1, and that is 0.')
    super().__init__(adder)
    self._influence_fn = influence_fn
    self._last_influence_fn = last_influence_fn or _no_influence
    self._weight_fn = parts.weight_fn(weight, steps_fn)
    self._delay = delay
    self._keep_parts = keep_parts
    self._observation: types.NestedArray = None
    self._held: _Pending | None = None

  def add_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode.

    Args:
      timestep: the FIRST timestep, with o_0.

    Raises:
      ValueError: the previous episode has not ended.
    """
    if self._in_episode:
      raise ValueError('An episode is open: end it, or call reset() first.')
    super().add_first(timestep)
    self._observation = parts.snapshot(timestep.observation)

  def add(
    self,
    action: types.NestedArray,
    next_timestep: dm_env.TimeStep,
    extras: types.NestedArray = (),
  ) -> None:
    """Records an action and the time step after it.

    Args:
      action: a_t.
      next_timestep: e_t, d_t and o_{t+1}; it is not changed.
      extras: for the table, and `influence_inputs` for the influence function.

    Raises:
      ValueError: no episode is open; or reward, influence, weight and extras
        do not fit together.
    """
    if not self._in_episode:
      raise ValueError('No episode is open: call add_first() before add().')
    # Environments may write their next step into the same arrays.
    action, next_timestep, extras = parts.snapshot(
      (action, next_timestep, extras)
    )
    _, reward, discount, next_observation = next_timestep
    step = InfluenceStep(
      self._observation, action, reward, discount, next_observation, extras
    )
    pending = _Pending(step, next_timestep, self._weight_fn())
    if self._delay:
      self._write_late(pending)
    else:
      self._write(pending, self._influence_fn(step, None))
    self._observation = next_observation
    self._in_episode = not next_timestep.last()

  def reset(self, timeout_ms: int | None = None) -> None:
    """Drops the open episode, if there is one, and the step held back."""
    self._held = None
    super().reset(timeout_ms)

  @staticmethod
  def extras_spec(
    inner_spec: types.NestedSpec | None,
    reward_spec: types.NestedSpec = _SCALAR_REWARD,
  ) -> dict[str, types.NestedSpec]:
    """Returns the spec of the table's extras with `keep_parts`.

    Args:
      inner_spec: of the actor's extras: a dict, None or ().
      reward_spec: of the environment's reward, if it is not one number; a tree
        of specs, only their shapes are used.

    Returns:
      The spec with the two parts, and without `influence_inputs`.
    """
    part = jax.tree_util.tree_map(
      lambda spec: specs.Array(spec.shape, np.float32), reward_spec
    )
    return parts.with_parts(parts.without_inputs(inner_spec), part, part)

  def _write_late(self, pending: _Pending) -> None:
    """Writes the step held back, and holds this one unless it is the last."""
    if self._held is not None:
      held, self._held = self._held, None
      self._write(held, self._influence_fn(held.step, pending.step))
    if pending.next_timestep.last():
      self._write(pending, self._last_influence_fn(pending.step))
    else:
      self._held = pending

  def _write(self, pending: _Pending, influence: types.NestedArray) -> None:
    """Adds a step to the inner adder with the changed reward."""
    step, next_timestep, weight = pending
    influence = parts.like_reward(influence, step.reward)
    reward = parts.weighted_sum(step.reward, influence, weight)
    extras = parts.without_inputs(step.extras)
    if self._keep_parts:
      extrinsic = jax.tree_util.tree_map(np.float32, step.reward)
      extras = parts.with_parts(extras, extrinsic, influence)
    self._adder.add(step.action, next_timestep._replace(reward=reward), extras)


def _no_influence(step: InfluenceStep) -> types.NestedArray:
  """Returns zeros like the reward."""
  return jax.tree_util.tree_map(np.zeros_like, step.reward)
