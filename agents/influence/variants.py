"""The variants of the agent, and the options that each of them heeds.

Letter: N agents.
"""

import numpy as np

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
