"""One row of all environments, as a pure function.

Letters: N agents, B environments.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp

from influence_acme.rollouts import layout, records
from influence_acme.rollouts import vector_environment as worlds_lib
from influence_acme.system import types as system_types


def play(
  worlds: worlds_lib.Worlds,
  policy: system_types.JointPolicy,
  learned: records.Learned,
  state: records.State,
) -> records.Played:
  """Plays one step, or starts the next episode, of every environment."""
  observation = state.outcome.observation
  step_keys = jax.vmap(jax.random.fold_in)(state.keys, state.num_steps)
  keys = system_types.agent_keys(step_keys, len(policy.agent_ids))
  decision = policy.act(learned.params, observation, state.core_state, keys)
  world_state, outcome = worlds.step(state.worlds, decision.actions)
  core_state, inputs = policy.observe(
    learned.params,
    observation,
    state.core_state,
    decision,
    outcome.observation,
    outcome.is_last,
  )
  judged = system_types.Judged(decision.actions, inputs)
  return records.Played(decision, world_state, outcome, core_state, judged)


def add_row(
  worlds: worlds_lib.Worlds,
  policy: system_types.JointPolicy,
  learned: records.Learned,
  state: records.State,
) -> tuple[records.State, tuple[records.Row, records.Episodes]]:
  """Makes one row: a step, or where an episode has ended the dummy row."""
  is_dummy = state.outcome.is_last  # The environment's step starts the next.
  decision, world_state, outcome, core_state, judged = play(
    worlds, policy, learned, state
  )
  # Judged within the loop: what it takes is much larger than the rows.
  influence, at_end = _judge(policy, state.judged, judged, is_dummy)
  shaped, smoothed = outcome.reward, state.smoothed
  if policy.shape is not None:
    shaped, smoothed = policy.shape(outcome.reward, state.smoothed)
  row = records.Row(
    observation=state.outcome.observation,
    actions=decision.actions,
    extrinsic=outcome.reward,
    shaped=shaped,
    discount=outcome.discount,
    start_of_episode=state.outcome.is_first,
    is_dummy=is_dummy,
    extras=decision.extras,
    core_state=state.core_state,
    influence=influence,
    weight=learned.weight,
    learner_steps=learned.learner_steps,
  )
  episodes = records.Episodes(
    is_step=~is_dummy,
    ended=outcome.is_last,
    totals=_add(state.totals, outcome.reward, is_dummy),
    events=outcome.events,
    influence=influence,
    at_end=at_end,
    choices=jax.tree_util.tree_map(lambda x: x[:, 0], decision.actions),
  )
  state = records.State(
    worlds=world_state,
    outcome=outcome,
    core_state=jax.tree_util.tree_map(
      # An episode starts from zeros: [N, B, ...] where [B] is a dummy.
      lambda x: layout.zero_where(jnp.broadcast_to(is_dummy, x.shape[:2]), x),
      core_state,
    ),
    judged=judged if policy.delay else (),
    smoothed=jnp.where(is_dummy, 0, smoothed),
    keys=state.keys,
    num_steps=state.num_steps + ~is_dummy,
    totals=episodes.totals,
  )
  return state, (row, episodes)


def _judge(
  policy: system_types.JointPolicy,
  before: Any,
  now: system_types.Judged,
  is_dummy: chex.Array,
) -> tuple[chex.Array, Any]:
  """Judges a row's influence.

  Args:
    policy: the population's.
    before: the row before, as it is judged; () if it is not asked for.
    now: the row.
    is_dummy: bool [B], whether it is no step.

  Returns:
    `influence` of `Row`, and `at_end` of `Episodes`.
  """
  if not policy.delay:
    return policy.influence(now, None), ()
  influence = policy.influence(before, now)
  # Nobody answers to an episode's last step.
  last, at_end = (
    policy.at_end(x) if policy.at_end else jnp.zeros_like(influence)
    for x in (before, now)
  )
  return jnp.where(is_dummy, last, influence), at_end


def _add(
  totals: records.Totals, reward: chex.Array, is_dummy: chex.Array
) -> records.Totals:
  """Adds a step, float32 [N, B], or begins anew where the row is a dummy."""
  is_paid = reward > 0
  added = records.Totals(
    returns=totals.returns + reward,
    num_paid=totals.num_paid + is_paid,
    paid_time=totals.paid_time + is_paid * totals.num_steps,
    num_steps=totals.num_steps + 1,
  )
  return jax.tree_util.tree_map(lambda x: jnp.where(is_dummy, 0, x), added)
