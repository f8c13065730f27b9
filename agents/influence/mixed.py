"""Populations in which not all take part in the same experiments.

All agents' networks have what any agent's variant needs. Who takes no part in
an experiment does not see or hear what it is about, is not heard, has no say in
what is judged, and does not learn to speak or to foresee: what it has of the
network beyond its own variant's reads zeros, and never changes.

Who takes part is known before anything is compiled. If all do, nothing here
costs anything. Letters: N agents, J = N - 1 others.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import types
from influence_acme.agents.influence import variants

# Stands for what is not seen or heard, as before an episode's first step.
_NOTHING = -1


class Groups(NamedTuple):
  """Who takes part in what: bool [N] each; or [], where all are of one variant.

  Attributes:
    turns: who sees what influencers do before acting; or is one.
    speech: who speaks and hears.
    models: who has a model of the others.
  """

  turns: np.ndarray
  speech: np.ndarray
  models: np.ndarray

  @property
  def perceive(self) -> dict[str, np.ndarray]:
    """Who knows what of the others: by name in an observation."""
    return {
      'actions': self.turns | self.models,
      'influencers': self.turns,
      'messages': self.speech,
    }


def groups(variant: variants.Variant) -> Groups:
  """Returns who of a population takes part in what."""
  of_all = (variants.TURNS, variants.SPEECH, variants.MODELS)
  return Groups(*(variants.which(variant, group) for group in of_all))


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


def known(
  perceive: Mapping[str, Any], observation: Mapping[str, chex.Array]
) -> dict[str, chex.Array]:
  """Returns what agents know: nothing of what they take no part in.

  Args:
    perceive: name -> which of the agents that observe know it: bool, with as
      many axes as what they observe; or [], of one agent.
    observation: arrays by name.

  Returns:
    The same, with -1 for what is not known.
  """
  found = dict(observation)
  for name, knows in perceive.items():
    is_static = isinstance(knows, (bool, np.ndarray))
    if name in found and not (is_static and np.all(knows)):
      found[name] = jnp.where(knows, found[name], _NOTHING)
  return found


def heard(speaks: np.ndarray, messages: chex.Array) -> chex.Array:
  """Returns what is to be heard of what was said.

  Args:
    speaks: bool [N], or [] for all or none.
    messages: int32 [..., N].

  Returns:
    int32 [..., N]; -1 of who is silent.
  """
  return messages if speaks.all() else jnp.where(speaks, messages, _NOTHING)


def pairs(takes_part: np.ndarray) -> np.ndarray:
  """Returns bool [N, J], whether an agent and an other both take part."""
  others = [types.others(i, len(takes_part)) for i in range(len(takes_part))]
  return takes_part[:, None] & takes_part[np.stack(others)]
