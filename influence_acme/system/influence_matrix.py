"""Computes the influence matrix: of each agent on each other, in nats by KL.

It is computed from the influence inputs of every step, the same for all ways to
play; what the agents' own reward is measured by does not matter.

Letters: N agents, J = N - 1 others.
"""

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme.system import experiment as experiment_lib
from influence_acme.system import experiments
from influence_acme.system import types as system_types


def influence_matrix(
  step: system_types.InfluenceStep,
  following: system_types.InfluenceStep | None,
) -> chex.Array:
  """Computes the influence matrix of steps.

  Args:
    step: in which the choices were made, [N, ...].
    following: the next step; None if no experiment of the step needs it, see
      `has_delay`. Its masks are False where `step` is the last of an episode.

  Returns:
    float32 [N, ..., N], nats: of the first axis' agent on the last axis'. An
    agent's own entry is NaN.
  """
  actions = system_types.actions_of(step.actions)
  num_agents = actions.shape[0]
  per_agent = jnp.zeros((*actions.shape, num_agents - 1), jnp.float32)
  # An agent takes part in one experiment at most.
  for name in step.inputs:
    output = experiment_lib.influence(
      experiments.EXPERIMENTS[name], name, 'kl', step, following
    )
    per_agent += output.per_agent
  own = np.arange(num_agents)[:, None]
  everyone = np.arange(num_agents)
  # The place of each agent among an agent's others; its own does not matter.
  places = np.minimum(everyone - (everyone > own), num_agents - 2)  # [N, N]
  rows = jnp.stack([per_agent[i][..., p] for i, p in enumerate(places)])
  shape = (num_agents, *(1,) * (actions.ndim - 1), num_agents)
  return jnp.where(np.eye(num_agents, dtype=bool).reshape(shape), jnp.nan, rows)


def has_delay(step: system_types.InfluenceStep) -> bool:
  """Returns whether the influence of a step is known one step late."""
  return any(
    experiments.EXPERIMENTS[name].delay('kl') > 0 for name in step.inputs
  )
