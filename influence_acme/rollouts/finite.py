"""Finds what environments put out that is not finite, by agent and step.

Compiled functions cannot raise: they mark it, and the host reads the marks
before anything is learned from the steps, written or saved.

Letters: T steps, N agents, B environments.
"""

from collections.abc import Mapping, Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np

from influence_acme import types
from influence_acme.rollouts import records
from influence_acme.rollouts import vector_environment as vector_lib

_ALLOWED = {
  'observation': 'finite',
  'reward': 'finite',
  'discount': 'in [0, 1]',
}


def mark(step: vector_lib.VectorStep) -> dict[str, chex.Array]:
  """Marks what is valid in the environments' output.

  Args:
    step: the output.

  Returns:
    'reward', 'discount' and, if it has floating-point numbers, 'observation'
    -> bool [N, B].
  """
  shape = step.reward.shape
  is_valid = (step.discount >= 0) & (step.discount <= 1)  # NaN is not.
  marks = {
    'reward': jnp.isfinite(step.reward),
    'discount': jnp.broadcast_to(is_valid, shape),
  }
  floats = [
    jnp.isfinite(x).reshape(*shape, -1).all(axis=-1)
    for x in jax.tree_util.tree_leaves(step.observation)
    if jnp.issubdtype(x.dtype, jnp.floating)
  ]
  if floats:
    marks['observation'] = jnp.stack(floats).all(axis=0)
  return marks


def check_episodes(
  parts: Sequence[records.Episodes], agent_ids: Sequence[types.AgentId]
) -> None:
  """Raises FloatingPointError: a step of unrolls is not valid, see `check`."""
  for part in parts:
    check(part.is_finite, part.totals.num_steps, agent_ids)


def check(
  marks: Mapping[str, chex.Array],
  times: chex.Array,
  agent_ids: Sequence[types.AgentId],
) -> None:
  """Raises FloatingPointError: an environment put out what is not valid.

  Args:
    marks: of `mark`, [..., N, B].
    times: int [..., B], or of fewer axes: steps of the episode so far, 0 where
      it starts.
    agent_ids: N names.
  """
  for name, allowed in _ALLOWED.items():
    is_wrong = ~np.asarray(marks.get(name, True))
    if not is_wrong.any():
      continue
    *at, _, b = np.argwhere(is_wrong)[0]
    of_agents, of_environment = (*at, slice(None), b), (*at, b)
    bad = [agent_ids[i] for i in np.flatnonzero(is_wrong[of_agents])]
    time = np.broadcast_to(times, is_wrong[..., 0, :].shape)[of_environment]
    raise FloatingPointError(
      f'The {name} of {", ".join(bad)} is not {allowed} at step {time} of the '
      f'episode, in environment {b} of the batch: it must be {allowed}. Look '
      'into the environment, or for actions that lead it there.'
    )
