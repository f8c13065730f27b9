"""Scripted agents, and the influence that one has on them in closed form.

A policy is a pure function `(key, step, last_actions) -> action`:
  key: a JAX random key, for this agent and step alone.
  step: int or int32 [], how many steps of the episode were played.
  last_actions: int32 [N], everyone's last actions; -1 before anyone acted.
  action: int32 [].
Policies are frozen records: hashable, jittable, vmappable.

Letters: N agents, K own actions.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np


class Policy(Protocol):
  """A scripted agent; see the top of the module."""

  def __call__(
    self, key: jax.Array, step: jax.Array | int, last_actions: jax.Array
  ) -> jax.Array:
    """Returns the agent's action, int32 []."""


@dataclasses.dataclass(frozen=True)
class Copier:
  """Plays what one agent played one step before; at first, action 0.

  Attributes:
    agent: the index of the agent that is copied.
  """

  agent: int

  def __call__(
    self, key: jax.Array, step: jax.Array | int, last_actions: jax.Array
  ) -> jax.Array:
    """Returns the copied action, int32 []."""
    del key, step
    return jnp.maximum(last_actions[self.agent], 0).astype(jnp.int32)


@dataclasses.dataclass(frozen=True)
class Cycler:
  """Plays actions 0, 1, ..., num_actions - 1, 0, ... and heeds nobody.

  Attributes:
    num_actions: the length of the cycle.
  """

  num_actions: int

  def __call__(
    self, key: jax.Array, step: jax.Array | int, last_actions: jax.Array
  ) -> jax.Array:
    """Returns the next action of the cycle, int32 []."""
    del key, last_actions
    return jnp.asarray(step % self.num_actions, jnp.int32)


@dataclasses.dataclass(frozen=True)
class Uniform:
  """Plays every action with the same probability.

  Attributes:
    num_actions: from how many actions it chooses.
  """

  num_actions: int

  def __call__(
    self, key: jax.Array, step: jax.Array | int, last_actions: jax.Array
  ) -> jax.Array:
    """Returns a random action, int32 []."""
    del step, last_actions
    return jax.random.randint(key, (), 0, self.num_actions, jnp.int32)


@dataclasses.dataclass(frozen=True)
class Constant:
  """Always plays the same action.

  Attributes:
    action: that action.
  """

  action: int

  def __call__(
    self, key: jax.Array, step: jax.Array | int, last_actions: jax.Array
  ) -> jax.Array:
    """Returns the action, int32 []."""
    del key, step, last_actions
    return jnp.int32(self.action)


def joint_actions(
  policies: Sequence[Policy],
  key: jax.Array,
  step: jax.Array | int,
  last_actions: jax.Array,
) -> jax.Array:
  """Lets a population act.

  Args:
    policies: N, in the agents' order.
    key: a JAX random key for this step; every agent gets its own from it.
    step: int or int32 [], how many steps of the episode were played.
    last_actions: int32 [N], everyone's last actions; -1 before anyone acted.

  Returns:
    int32 [N], everyone's actions.
  """
  keys = jax.random.split(key, len(policies))
  return jnp.stack(
    [
      policy(agent_key, step, last_actions)
      for policy, agent_key in zip(policies, keys, strict=True)
    ]
  )


def closed_form_influence(
  policies: Sequence[Policy],
  me: int,
  probabilities: np.ndarray,
  measure: str = 'kl',
) -> np.ndarray:
  """Returns the influence of my action at t on the others' actions at t+1.

  Who copies me plays my action a for certain, so that its conditional is
  one-hot and its marginal is my own policy p (Jaques et al. 2019, eq. 1, 3, 7):

    KL = log(1 / p(a)), and PMI at the realised action the same;
    JSD = (log(2 / q) + p(a) log(2 p(a) / q) + (1 - p(a)) log 2) / 2,
      with q = 1 + p(a).

  Everybody else ignores me: conditional and marginal are equal, influence is 0.

  Args:
    policies: N, in the agents' order; my own is not called.
    me: my index.
    probabilities: float [K], my policy; all above 0.
    measure: 'kl', 'jsd' or 'pmi'.

  Returns:
    float64 [K, N-1], nats: row a is the influence if I play a, and the columns
    are the others, in the agents' order.

  Raises:
    ValueError: the measure is unknown.
  """
  p = np.asarray(probabilities, np.float64)
  if measure in ('kl', 'pmi'):
    on_copier = -np.log(p)
  elif measure == 'jsd':
    q = 1 + p
    on_copier = (
      np.log(2 / q) + p * np.log(2 * p / q) + (1 - p) * np.log(2)
    ) / 2
  else:
    raise ValueError(f"Unknown measure {measure!r}: give 'kl', 'jsd' or 'pmi'.")
  others = [policy for i, policy in enumerate(policies) if i != me]
  copies_me = np.array([policy == Copier(me) for policy in others])
  return on_copier[:, None] * copies_me[None, :]
