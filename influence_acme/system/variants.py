"""The variants of the agent, and the options that each of them heeds.

Letter: N agents.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from influence_acme import types

# Of all agents, or each agent's own, in their order.
Variant = str | tuple[str, ...]

# Actor-critics that know nothing of each other; the paper's experiments, each
# with the baseline that has the same networks and is not paid for influence:
# - influencers act first, and influence is judged by the others' policies;
# - agents speak, and the influence of what they say is judged likewise;
# - it is judged by a model of others;
# and the baseline with rewards that heed what the others get.
VARIANTS = (
  'baseline',
  'visible_actions',
  'basic_influence',
  'comm_baseline',
  'communication',
  'moa_baseline',
  'moa',
  'prosocial',
  'inequity_aversion',
)
TURNS = ('visible_actions', 'basic_influence')
SPEECH = ('comm_baseline', 'communication')
MODELS = ('moa_baseline', 'moa')
PAID = ('basic_influence', 'communication', 'moa')
PROSOCIAL = 'prosocial'
INEQUITY = 'inequity_aversion'

# Options that mean something to some variants alone; to others they must be
# left as they are.
ONLY = {
  'num_influencers': TURNS,
  'influencee_reward': ('basic_influence',),
  'num_symbols': SPEECH,
  'message_embedding_size': SPEECH,
  'message_extrinsic_weight': ('communication',),
  'message_loss_weight': SPEECH,
  'message_entropy_cost': SPEECH,
  'moa_loss_weight': MODELS,
  'moa_only_visible': MODELS,
  'prosocial_weight': (PROSOCIAL,),
  'inequity_behind': (INEQUITY,),
  'inequity_ahead': (INEQUITY,),
  'inequity_smoothing': (INEQUITY,),
}


def which(variant: Variant, group: tuple[str, ...]) -> np.ndarray:
  """Returns which agents are of a group of variants.

  Args:
    variant: of all agents, or each agent's own.
    group: of `VARIANTS`.

  Returns:
    bool [N]; [] if all agents are of one variant.
  """
  return np.isin(variant, group)


def check(variant: Variant) -> None:
  """Raises ValueError: a variant is unknown."""
  each = variant if isinstance(variant, tuple) else (variant,)
  if not each or not all(name in VARIANTS for name in each):
    raise ValueError(
      f'variant is {variant!r}: it must be one of {", ".join(VARIANTS)}; or a '
      'tuple of one for each agent.'
    )


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


def groups(variant: Variant) -> Groups:
  """Returns who of a population takes part in what."""
  of_all = (TURNS, SPEECH, MODELS)
  return Groups(*(which(variant, group) for group in of_all))


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
