"""Defines hyper-parameters for learning in millions of steps.

The paper's own numbers, for 10^8 steps and more, are in `presets`. Here every
variant of a game has the same update, normalisation, schedules and network;
only the options of its own experiment differ.
"""

from typing import Any

from influence_acme.system import config as config_lib

# Steps over which the learning rate falls to a tenth.
_STEPS = {'cleanup': 20_000_000, 'harvest': 20_000_000}
_SMALL_STEPS = 4_000_000


def make_config(
  game: str, variant: str, **overrides: Any
) -> config_lib.InfluenceConfig:
  """Returns the practical configuration of a variant.

  Args:
    game: name of an environment.
    variant: of the agents.
    **overrides: values of other fields.

  Returns:
    The configuration.

  Raises:
    ValueError: the variant is unknown, or a value out of range.
  """
  fields: dict[str, Any] = {
    'variant': variant,
    'update': 'ppo',
    'normalise_returns': True,
    'unroll_length': 64,
    'batch_size': 64,
    'max_queue_size': 128,
    'max_gradient_norm': 0.5,
    'entropy_cost': 0.01,
    'learning_rate': 5e-4,
    'learning_rate_end': 5e-5,
    'learning_rate_steps': _STEPS.get(game, _SMALL_STEPS),
    'influence_curriculum_steps': 1_000_000,
  }
  if variant in ('moa', 'moa_baseline'):
    fields['moa_loss_weight'] = 1.0
  return config_lib.InfluenceConfig(**{**fields, **overrides})
