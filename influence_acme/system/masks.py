"""Masks inputs and outputs of agents that do not take part in an experiment.

In a mixed population all agents' networks have all layers that any agent's
variant needs. Agents that do not take part in an experiment get masked inputs
(-1) and zero loss for it; the unused parameters receive no gradient.

Membership is known at compile time: if all agents take part, the masks cost
nothing. Letter: N agents.
"""

from collections.abc import Mapping
from typing import Any

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme.system import experiments, variants

# The value of an action or message that does not exist or is not observed.
NONE = -1


def readers(variant: variants.VariantName) -> dict[str, np.ndarray]:
  """Returns the agents whose policies read an entry, by entry.

  Args:
    variant: of all agents, or each agent's own.

  Returns:
    Entry of an observation -> bool [N]; [] if all are of one variant.
  """
  found: dict[str, np.ndarray] = {}
  for name, experiment in experiments.EXPERIMENTS.items():
    members = variants.members(variant, name)
    for entry in experiment.reads:
      found[entry] = found.get(entry, np.zeros_like(members)) | members
  return found


def is_member(
  members: np.ndarray, own_index: chex.Numeric
) -> chex.Array | bool:
  """Returns bool []: the agent is a member.

  Args:
    members: bool [N], or [] for all or none.
    own_index: int [], of the agent.

  Returns:
    bool [].
  """
  if members.all() or not members.any():
    return bool(members.all())
  return jnp.asarray(members)[own_index]


def select(members: np.ndarray, x: chex.Array, rest: Any) -> chex.Array:
  """Returns x for the members, and another value for the rest.

  Args:
    members: bool [N], or [] for all or none.
    x: [N, ...].
    rest: [N, ...], or a number.
  """
  if members.all():
    return x
  axes = (1,) * (x.ndim - members.ndim)
  return jnp.where(members.reshape(members.shape + axes), x, rest)


def mask_observation(
  observation: Mapping[str, chex.Array], readers: Mapping[str, Any]
) -> dict[str, chex.Array]:
  """Masks entries of an observation for agents that do not read them.

  Args:
    observation: arrays by name.
    readers: name -> the observing agents that read it: bool, of the rank of the
      entry; or [], of one agent.

  Returns:
    The observation, with -1 for entries that are not read.
  """
  masked = dict(observation)
  for name, reads in readers.items():
    is_static = isinstance(reads, (bool, np.ndarray))
    if name in masked and not (is_static and np.all(reads)):
      masked[name] = jnp.where(reads, masked[name], NONE)
  return masked


def mask_messages(speakers: np.ndarray, messages: chex.Array) -> chex.Array:
  """Masks the messages of agents that do not speak.

  Args:
    speakers: bool [N], or [] for all or none.
    messages: int32 [..., N].

  Returns:
    int32 [..., N]; -1 for agents that do not speak.
  """
  return messages if speakers.all() else jnp.where(speakers, messages, NONE)
