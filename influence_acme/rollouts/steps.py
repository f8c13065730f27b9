"""Computes one row of all environments.

A row is a step of its environment or, after an episode's last step, padding: a
padding row holds the last observation, and its action, reward, discount and
extras are zero.

Letters: N agents, B environments.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp

from influence_acme.rollouts import finite, records
from influence_acme.rollouts import vector_environment as vector_lib
from influence_acme.system import types as system_types


def act(
  policy: system_types.JointPolicy,
  actor_params: records.ActorParams,
  state: records.ScanState,
) -> system_types.ActOutput:
  """Samples everyone's actions in all environments."""
  step_keys = jax.vmap(jax.random.fold_in)(state.keys, state.num_steps)
  keys = system_types.agent_keys(step_keys, len(policy.agent_ids))
  return policy.act(
    actor_params.params, state.step.observation, state.core_state, keys
  )


def observe(
  policy: system_types.JointPolicy,
  actor_params: records.ActorParams,
  state: records.ScanState,
  act_output: system_types.ActOutput,
  step: vector_lib.VectorStep,
) -> tuple[chex.ArrayTree, system_types.InfluenceStep]:
  """Computes the next recurrent states, and the inputs of influence."""
  core_state, inputs = policy.observe(
    actor_params.params,
    state.step.observation,
    state.core_state,
    act_output,
    step.observation,
    step.is_last,
  )
  return core_state, system_types.InfluenceStep(act_output.actions, inputs)


def add_row(
  environment: vector_lib.VectorEnvironment,
  policy: system_types.JointPolicy,
  actor_params: records.ActorParams,
  state: records.ScanState,
) -> tuple[records.ScanState, tuple[records.RolloutStep, records.Episodes]]:
  """Computes one row: a step, or padding after an episode's last step."""
  act_output = act(policy, actor_params, state)
  environment_state, step = environment.step(
    state.environment, act_output.actions
  )
  return finish_row(
    policy, actor_params, state, act_output, environment_state, step
  )


def finish_row(
  policy: system_types.JointPolicy,
  actor_params: records.ActorParams,
  state: records.ScanState,
  act_output: system_types.ActOutput,
  environment_state: Any,
  step: vector_lib.VectorStep,
) -> tuple[records.ScanState, tuple[records.RolloutStep, records.Episodes]]:
  """Computes a row, once the environments have been stepped.

  Args:
    policy: the population's.
    actor_params: of the learner.
    state: before the row.
    act_output: of the row.
    environment_state: of the environments after the step.
    step: output of the environments.

  Returns:
    The state after the row, and the row with its measures.
  """
  is_padding = state.step.is_last  # The environment's step starts the next.
  core_state, influence_step = observe(
    policy, actor_params, state, act_output, step
  )
  # Computed within the loop: its inputs are much larger than the rows.
  influence, at_last = _influence(
    policy, state.influence_step, influence_step, is_padding
  )
  shaped, smoothed = step.reward, state.smoothed
  if policy.shape_reward is not None:
    shaped, smoothed = policy.shape_reward(step.reward, state.smoothed)
  row = _make_row(state, actor_params, act_output, step, shaped, influence)
  episodes = records.Episodes(
    is_step=~is_padding,
    ended=step.is_last,
    totals=_add(state.totals, step.reward, is_padding),
    events=step.events,
    influence=influence,
    last_step_influence=at_last,
    choices=jax.tree_util.tree_map(lambda x: x[:, 0], act_output.actions),
    is_finite=finite.mark(step),
  )
  after = state._replace(
    environment=environment_state,
    step=step,
    core_state=_begin_episodes(core_state, is_padding),
    influence_step=influence_step if policy.delay else (),
    smoothed=jnp.where(is_padding, 0, smoothed),
    num_steps=state.num_steps + ~is_padding,
    totals=episodes.totals,
  )
  return after, (row, episodes)


def _make_row(
  state: records.ScanState,
  actor_params: records.ActorParams,
  act_output: system_types.ActOutput,
  step: vector_lib.VectorStep,
  shaped: chex.Array,
  influence: chex.Array,
) -> records.RolloutStep:
  """Makes the row of a step: what was before it, and what came of it."""
  return records.RolloutStep(
    observation=state.step.observation,
    actions=act_output.actions,
    extrinsic=step.reward,
    shaped=shaped,
    discount=step.discount,
    start_of_episode=state.step.is_first,
    is_padding=state.step.is_last,
    extras=act_output.extras,
    core_state=state.core_state,
    influence=influence,
    weight=actor_params.weight,
    learner_steps=actor_params.learner_steps,
  )


def _begin_episodes(
  core_state: chex.ArrayTree, is_padding: chex.Array
) -> chex.ArrayTree:
  """Returns states [N, B, ...] with zeros where an episode starts, [B]."""
  return jax.tree_util.tree_map(
    lambda x: zero_where(jnp.broadcast_to(is_padding, x.shape[:2]), x),
    core_state,
  )


def _influence(
  policy: system_types.JointPolicy,
  before: Any,
  now: system_types.InfluenceStep,
  is_padding: chex.Array,
) -> tuple[chex.Array, Any]:
  """Computes a row's influence.

  Args:
    policy: the population's.
    before: the row before; () without a delay.
    now: the row.
    is_padding: bool [B], of the row.

  Returns:
    `influence` of `RolloutStep`, and `last_step_influence` of `Episodes`.
  """
  if not policy.delay:
    return policy.influence(now, None), ()
  influence = policy.influence(before, now)
  # Nobody replies to an episode's last step.
  last_before, last_now = (
    policy.last_step_influence(step)
    if policy.last_step_influence
    else jnp.zeros_like(influence)
    for step in (before, now)
  )
  return jnp.where(is_padding, last_before, influence), last_now


def _add(
  totals: records.Totals, reward: chex.Array, is_padding: chex.Array
) -> records.Totals:
  """Adds a step, float32 [N, B], or begins anew where the row is padding."""
  is_paid = reward > 0
  added = records.Totals(
    returns=totals.returns + reward,
    num_paid=totals.num_paid + is_paid,
    paid_time=totals.paid_time + is_paid * totals.num_steps,
    num_steps=totals.num_steps + 1,
  )
  return jax.tree_util.tree_map(lambda x: jnp.where(is_padding, 0, x), added)


def zero_where(condition: chex.Array, x: chex.Array) -> chex.Array:
  """Returns x with zeros where the condition on its first axes holds."""
  ones = (1,) * (x.ndim - condition.ndim)
  return jnp.where(condition.reshape(condition.shape + ones), 0, x)
