"""Populations in which not all take part in the experiment that is played.

All agents' networks are those of the experiment. Who does not take part does
not see or hear what the others do or say, is not heard, has no say in what is
judged, and does not learn to speak or to foresee: what it has of the network
beyond a `baseline` reads zeros, and never changes.

Who takes part is known before anything is compiled. If all do, nothing here
costs anything. Letters: N agents, J = N - 1 others.
"""

from typing import Any

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import types

# Stands for what is not seen or heard, as before an episode's first step.
_NOTHING = -1
# What agents know of each other, by name.
_OF_OTHERS = ('actions', 'influencers', 'messages')


def is_among(who: np.ndarray, own_index: chex.Numeric) -> chex.Array | bool:
  """Returns whether one agent is among some.

  Args:
    who: bool [N], or [] for all or none.
    own_index: int [], which agent.

  Returns:
    bool [].
  """
  if who.all() or not who.any():
    return bool(who.all())
  return jnp.asarray(who)[own_index]


def select(who: np.ndarray, x: chex.Array, rest: Any) -> chex.Array:
  """Returns x of some agents, and something else of the rest.

  Args:
    who: bool [N], or [] for all or none.
    x: [N, ...].
    rest: [N, ...], or a number.
  """
  if who.all():
    return x
  return jnp.where(who.reshape(who.shape + (1,) * (x.ndim - who.ndim)), x, rest)


def known(perceives: Any, observation: Any) -> dict[str, chex.Array]:
  """Returns what agents know: nothing of each other, if they take no part.

  Args:
    perceives: which of the agents that observe do take part: bool, with as many
      axes as what they observe; or [], of one agent.
    observation: arrays by name.

  Returns:
    The same, with -1 for what is not known.
  """
  found = dict(observation)
  if isinstance(perceives, (bool, np.ndarray)) and np.all(perceives):
    return found
  for name in _OF_OTHERS:
    if name in found:
      found[name] = jnp.where(perceives, found[name], _NOTHING)
  return found


def pairs(takes_part: np.ndarray) -> np.ndarray:
  """Returns bool [N, J], whether an agent and an other both take part."""
  others = [types.others(i, len(takes_part)) for i in range(len(takes_part))]
  return takes_part[:, None] & takes_part[np.stack(others)]
