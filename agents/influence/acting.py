"""Plays the population as an Acme actor: one environment, step by step.

Time, for every step t (rows of the replay hold the state before it):

  select_action(o_t):  pi(. | s_t) -> a_t
  observe(a_t, next):  the MOA's step on everyone's a_t, and the row

Both call functions of `system.policy`. Letter: N agents.
"""

from influence_acme import compat  # noqa: F401  Before acme.jax.

# isort: split

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import chex
import dm_env
import jax
import numpy as np
from acme import adders as adders_lib
from acme import core

from influence_acme import adders, types
from influence_acme.agents.influence import variables as variables_lib
from influence_acme.system import specs as multiagent_specs
from influence_acme.system import types as system_types


def make_influence_fn(influence: Callable[..., Any]) -> Callable[..., Any]:
  """Makes an adder's influence function from a policy's.

  Args:
    influence: of `JointPolicy`: influence steps -> float32 [N, ...], nats.

  Returns:
    The same function of the adder's steps, float32 [N].
  """

  def to_influence_step(step):
    if step is None:
      return None
    inputs = step.extras['influence_inputs']
    return system_types.InfluenceStep(step.action, inputs)

  def influence_fn(*steps):
    return np.asarray(influence(*map(to_influence_step, steps)))

  return influence_fn


class InfluenceActor(core.Actor):
  """Plays all agents of a multi-agent environment; an Acme actor.

  It takes dm_env timesteps with observations and rewards as dicts by agent id,
  and returns such actions. The key of an agent's action is
  fold_in(fold_in(key, step), agent), so that a run can be repeated.
  """

  def __init__(
    self,
    policy: system_types.JointPolicy,
    key: chex.PRNGKey,
    variables: variables_lib.HeldVariables,
    adder: adders_lib.Adder | None = None,
  ):
    """Makes the actor.

    Args:
      policy: of the population.
      key: of this environment.
      variables: of the learner.
      adder: gets stacked timesteps, [N, ...], and extras with
        `influence_inputs`.
    """
    self._agent_ids = policy.agent_ids
    self._key = key
    self._variables = variables
    self._adder = adder
    self._num_steps = 0
    self._initial_state = _unbatch(policy.initial_state(1))
    self._core_state = self._initial_state
    self._compiled = _compile(policy)

  def select_action(
    self, observation: Mapping[types.AgentId, Mapping[str, np.ndarray]]
  ) -> dict[types.AgentId, np.ndarray]:
    """Samples everyone's action by agent id: int32 [], or a dict of such."""
    del observation  # The last observed one, which is stacked already.
    self._variables.take()
    self._act_output = self._compiled.act(
      self._variables.params,
      self._observation,
      self._core_state,
      self._key,
      np.uint32(self._num_steps % 2**32),
    )
    return multiagent_specs.unstack_actions(
      self._act_output.actions, self._agent_ids
    )

  def observe_first(self, timestep: dm_env.TimeStep) -> None:
    """Starts an episode, with zero recurrent states."""
    timestep = multiagent_specs.stack_timestep(timestep, self._agent_ids)
    self._observation = timestep.observation
    self._core_state = self._initial_state
    if self._adder:
      self._adder.add_first(timestep)

  def observe(
    self,
    action: Mapping[types.AgentId, Any],
    next_timestep: dm_env.TimeStep,
  ) -> None:
    """Runs the MOA's step on everyone's actions, and adds the row."""
    next_timestep = multiagent_specs.stack_timestep(
      next_timestep, self._agent_ids
    )
    act_output = self._act_output
    next_state, influence_inputs = self._compiled.observe(
      self._variables.params,
      self._observation,
      self._core_state,
      act_output,
      next_timestep.observation,
      np.asarray(next_timestep.last()),
    )
    if self._adder:
      actions = multiagent_specs.stack_actions(action, self._agent_ids)
      extras = {
        **act_output.extras,
        'core_state': self._core_state,
        'learner_steps': self._variables.learner_steps,
        'influence_inputs': influence_inputs,
      }
      self._adder.add(actions, next_timestep, jax.device_get(extras))
    self._observation = next_timestep.observation
    self._core_state = next_state
    self._num_steps += 1

  def update(self, wait: bool = False) -> None:
    """Fetches the learner's parameters periodically."""
    self._variables.update(wait)

  def save(self) -> dict[str, int]:
    """Returns the state needed to resume between two episodes."""
    return {'steps': self._num_steps}

  def restore(self, state: Mapping[str, int]) -> None:
    """Resumes after `state['steps']` steps, without repeating random draws."""
    self._num_steps = int(state['steps'])


def make_influence_adder(
  adder: adders_lib.Adder,
  policy: system_types.JointPolicy,
  weight: Callable[[int], float | np.ndarray],
  steps_fn: Callable[[], int],
) -> adders.InfluenceAdder:
  """Wraps an adder to shape the rewards and to add weighted influence.

  Args:
    adder: takes stacked timesteps.
    policy: of the population.
    weight: of the influence, as a function of environment steps.
    steps_fn: returns the environment steps so far.

  Returns:
    The adder for `InfluenceActor`.
  """
  if policy.shape_reward is not None:
    nothing = np.zeros(len(policy.agent_ids), np.float32)
    adder = adders.ShapingAdder(adder, jax.jit(policy.shape_reward), nothing)
  compiled = _compile(policy)
  return adders.InfluenceAdder(
    adder,
    make_influence_fn(compiled.influence),
    weight,
    delay=policy.delay,
    steps_fn=steps_fn,
    last_influence_fn=(
      make_influence_fn(compiled.last_step_influence)
      if compiled.last_step_influence
      else None
    ),
  )


class _Compiled(NamedTuple):
  """Holds a policy's functions for one environment, compiled when called."""

  act: Callable[..., system_types.ActOutput]
  observe: Callable[..., tuple[chex.ArrayTree, Any]]
  influence: Callable[..., chex.Array]
  last_step_influence: Callable[..., chex.Array] | None


# All actors of one policy share compiled functions.
@functools.lru_cache(maxsize=8)
def _compile(policy: system_types.JointPolicy) -> _Compiled:
  @jax.jit
  def act(params, observation, core_state, key, step):
    step_key = jax.random.fold_in(key, step)
    keys = system_types.agent_keys(step_key[None], len(policy.agent_ids))
    batched = _batch((observation, core_state))
    return _unbatch(policy.act(params, *batched, keys))

  @jax.jit
  def observe(params, observation, core_state, act_output, following, is_last):
    batched = _batch((observation, core_state, act_output, following))
    return _unbatch(policy.observe(params, *batched, is_last[None]))

  last = policy.last_step_influence
  return _Compiled(
    act, observe, jax.jit(policy.influence), jax.jit(last) if last else None
  )


def _batch(tree: chex.ArrayTree) -> chex.ArrayTree:
  """Adds a batch axis of one environment, [N, ...] to [N, 1, ...]."""
  return jax.tree_util.tree_map(lambda x: x[:, None], tree)


def _unbatch(tree: chex.ArrayTree) -> chex.ArrayTree:
  """Removes the batch axis of `_batch`."""
  return jax.tree_util.tree_map(lambda x: x[:, 0], tree)
