"""Names the variants that use an option of the configuration."""

import dataclasses
from typing import Any

import numpy as np

from influence_acme.system import variants

_BASIC, _COMMUNICATION, _MOA = (
  variants.names(experiment=name) for name in ('basic', 'communication', 'moa')
)
# Options that only some variants use; others must keep the defaults.
USED_BY = {
  'num_influencers': _BASIC,
  'influencee_reward': ('basic_influence',),
  'num_symbols': _COMMUNICATION,
  'message_embedding_size': _COMMUNICATION,
  'message_extrinsic_weight': ('communication',),
  'message_loss_weight': _COMMUNICATION,
  'message_entropy_cost': _COMMUNICATION,
  'moa_loss_weight': _MOA,
  'moa_only_visible': _MOA,
  'prosocial_weight': ('prosocial',),
  'inequity_behind': ('inequity_aversion',),
  'inequity_ahead': ('inequity_aversion',),
  'inequity_smoothing': ('inequity_aversion',),
  'svo_target': ('svo',),
  'svo_weight': ('svo',),
}


def check_applicable(config: Any) -> None:
  """Raises ValueError: an option is set that the variant does not use."""
  for field in dataclasses.fields(config):
    users = USED_BY.get(field.name, variants.VARIANTS)
    value = getattr(config, field.name)
    if value != field.default and not np.isin(config.variant, users).any():
      raise ValueError(
        f'{field.name} is {value!r}: leave it at {field.default!r} with the '
        f'variant {config.variant!r}; only {", ".join(users)} heed it.'
      )
