"""Lists the variants of the agent as data: experiment, reward, shaping.

Letter: N agents.
"""

from typing import Any, NamedTuple

import numpy as np

# One for all agents, or a tuple of each agent's, in their order.
VariantName = str | tuple[str, ...]


class Variant(NamedTuple):
  """Holds the properties of a variant.

  Attributes:
    experiment: that defines its networks and observations, see `experiments`;
      None for an actor-critic without inputs about others.
    rewarded: True if its reward holds influence.
    shaping: of its extrinsic reward, the module and name of a function as
      `reward_shaping` takes it, which loads it on demand; None for none.
  """

  experiment: str | None = None
  rewarded: bool = False
  shaping: str | None = None


# Each of the paper's experiments comes with the baseline that has the same
# networks and no reward for influence.
_TABLE = {
  'baseline': Variant(),
  'visible_actions': Variant('basic'),
  'basic_influence': Variant('basic', rewarded=True),
  'comm_baseline': Variant('communication'),
  'communication': Variant('communication', rewarded=True),
  'moa_baseline': Variant('moa'),
  'moa': Variant('moa', rewarded=True),
  'prosocial': Variant(shaping='social_rewards.prosocial'),
  'inequity_aversion': Variant(shaping='social_rewards.inequity_averse'),
  'svo': Variant(shaping='svo.shape'),
}
VARIANTS = tuple(_TABLE)


def check(variant: VariantName) -> None:
  """Raises ValueError: a variant is unknown."""
  names = variant if isinstance(variant, tuple) else (variant,)
  if not names or not all(name in VARIANTS for name in names):
    raise ValueError(
      f'variant is {variant!r}: it must be one of {", ".join(VARIANTS)}; or a '
      'tuple of one for each agent.'
    )


def names(**properties: Any) -> tuple[str, ...]:
  """Returns the names of variants with these properties."""
  return tuple(
    name
    for name, variant in _TABLE.items()
    if all(getattr(variant, k) == v for k, v in properties.items())
  )


def has(variant: VariantName, **properties: Any) -> np.ndarray:
  """Returns the agents whose variants have properties.

  Args:
    variant: of all agents, or each agent's own.
    **properties: values of fields of `Variant`.

  Returns:
    bool [N]; [] if all agents are of one variant.
  """
  return np.isin(variant, names(**properties))


def members(variant: VariantName, experiment: str) -> np.ndarray:
  """Returns the agents that take part in an experiment, bool [N] or []."""
  return has(variant, experiment=experiment)


def shapings(variant: VariantName) -> list[str]:
  """Returns the names of the reward shapings of some agents, each once."""
  found = [
    _TABLE[str(name)].shaping for name in dict.fromkeys(np.atleast_1d(variant))
  ]
  return [shaping for shaping in found if shaping is not None]
