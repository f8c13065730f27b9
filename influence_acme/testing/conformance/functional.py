"""The contract of a functional environment, as a check."""

import functools
from typing import Any

import chex
import dm_env
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme.environments import base
from influence_acme.testing.conformance import assertions


def check_functional(
  environment: base.FunctionalEnvironment,
  *,
  num_steps: int = 1_200,
  seed: int = 0,
) -> None:
  """Plays a functional environment with random actions and checks it.

  Checked are shapes and dtypes, that the state keeps its layout (so that it
  compiles once and can be scanned), the FIRST and LAST conventions, that a
  finished episode starts the next one, that events are counted from each
  episode's beginning, that single and vmapped calls agree, and that nothing but
  the key makes a difference.

  Args:
    environment: the environment's pure functions.
    num_steps: of the check; an episode must end within it.
    seed: of all randomness.

  Raises:
    AssertionError: the environment breaks the contract.
    TypeError: it cannot be hashed.
  """
  hash(environment)  # Or its compiled functions could not be shared.
  keys = jax.random.split(jax.random.PRNGKey(seed), 2)
  state, first = jax.jit(environment.reset)(keys[0])
  _check_layout(environment, state, first)
  _check_picture(environment.render(state))

  rollout = functools.partial(_rollout, environment, num_steps=num_steps)
  steps, visible, events = jax.jit(rollout)(keys[0])
  _check_steps(environment, steps)
  _check_events(environment, steps, events)
  chex.assert_shape(visible, (num_steps + 1,) + (environment.num_agents,) * 2)
  chex.assert_type(visible, bool)
  assertions.require(
    not visible.diagonal(axis1=1, axis2=2).any(),
    "visible's diagonal must be False: nobody counts as seen by itself.",
  )

  # Traced anew: this also shows draws that do not come from the key.
  batch = jax.jit(jax.vmap(rollout))(keys)
  again = jax.tree_util.tree_map(lambda x: x[0], batch)
  chex.assert_trees_all_close(again, (steps, visible, events), rtol=1e-5)


def _rollout(
  environment: base.FunctionalEnvironment, key: jax.Array, *, num_steps: int
) -> tuple[base.Step, chex.Array, dict[str, chex.Array]]:
  """Plays random actions; returns what came of it, [1 + num_steps, ...] each.

  Args:
    environment: what is played.
    key: of all randomness.
    num_steps: how many.

  Returns:
    Steps, who sees whom, and events.
  """
  reset_key, actions_key = jax.random.split(key)
  shape = (num_steps, environment.num_agents)
  actions = jax.random.randint(actions_key, shape, 0, environment.num_actions)

  def one_step(state: Any, actions_t: chex.Array) -> tuple[Any, Any]:
    state, step = environment.step(state, actions_t)
    return state, (step, environment.visible(state), environment.events(state))

  state, step = environment.reset(reset_key)
  first = (step, environment.visible(state), environment.events(state))
  _, rest = jax.lax.scan(one_step, state, actions)
  return jax.tree_util.tree_map(
    lambda x, y: jnp.concatenate([x[None], y]), first, rest
  )


def _check_layout(
  environment: base.FunctionalEnvironment, state: Any, first: base.Step
) -> None:
  """Checks the shapes and dtypes of what reset and step return."""
  n = environment.num_agents
  assertions.require(
    isinstance(environment.agent_ids, tuple)
    and len(set(environment.agent_ids)) == n,
    f'agent_ids must be a tuple of {n} names; it is {environment.agent_ids}.',
  )
  shape, dtype = environment.observation_shape, environment.observation_dtype
  assertions.require(
    base.is_observation(shape, dtype),
    f'Observations must be {base.OBSERVATIONS}; observation_shape is {shape} '
    f'and observation_dtype {np.dtype(dtype)}.',
  )
  chex.assert_shape(first.observation, (n, *shape))
  chex.assert_shape(first.reward, (n,))
  chex.assert_shape((first.discount, first.step_type), ())
  chex.assert_type(tuple(first), [dtype, np.float32, np.float32, np.int32])
  following = jax.jit(environment.step)(state, jnp.zeros(n, jnp.int32))
  chex.assert_trees_all_equal_shapes_and_dtypes((state, first), following)
  for leaf in jax.tree_util.tree_leaves(((state, first), following)):
    assertions.require(
      not leaf.weak_type,
      'Every array needs a dtype of its own, or functions compile twice; of '
      f'weak type is {leaf!r}.',
    )


def _check_picture(picture: Any) -> None:
  """Checks what `render` returns."""
  chex.assert_shape(picture, (None, None, 3))
  chex.assert_type(picture, np.uint8)


def _check_steps(
  environment: base.FunctionalEnvironment, steps: base.Step
) -> None:
  """Checks where episodes begin and end, and what they then give."""
  reward, discount, step_type = map(np.asarray, steps[1:])
  first = step_type == dm_env.StepType.FIRST
  last = step_type == dm_env.StepType.LAST
  assertions.require(
    np.isin(step_type, list(dm_env.StepType)).all(),
    f"step_type must hold dm_env's values; it holds {np.unique(step_type)}.",
  )
  assertions.require(
    last[:-1].any(),
    f'No episode of {environment} ended within the steps: give num_steps.',
  )
  assertions.require(
    first[0] and (first[1:] == last[:-1]).all(),
    'FIRST must come from reset, and after each LAST, and nowhere else.',
  )
  assertions.require(
    (reward[first] == 0).all() and (discount[first] == 1).all(),
    'FIRST must have reward 0 and discount 1.',
  )
  assertions.require(np.isfinite(reward).all(), 'Every reward must be finite.')
  assertions.require(
    np.isfinite(steps.observation).all(), 'Every observation must be finite.'
  )
  assertions.require(
    ((discount >= 0) & (discount <= 1)).all(), 'discount must be in [0, 1].'
  )


def _check_events(
  environment: base.FunctionalEnvironment,
  steps: base.Step,
  events: dict[str, chex.Array],
) -> None:
  """Checks that counts of agents begin with an episode, and only go up."""
  first = np.asarray(steps.step_type) == dm_env.StepType.FIRST
  for name, values in events.items():
    values = np.asarray(values)
    chex.assert_type(values, np.int32)
    if values.ndim == 1:  # Of the world.
      continue
    chex.assert_shape(values, (len(first), environment.num_agents))
    assertions.require(
      (values[first] == 0).all(),
      f'The count of {name} must be 0 when an episode begins.',
    )
    grows = np.diff(values, axis=0)[~first[1:]]
    assertions.require(
      (grows >= 0).all(), f'The count of {name} must not fall in an episode.'
    )
