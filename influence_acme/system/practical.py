"""Defines hyper-parameters for learning in millions of steps.

The paper's own numbers, for 10^8 steps and more, are in `presets`. Here every
variant of a game has the same update, normalisation, schedules and network;
only the options of its own experiment differ.
"""

from typing import Any

from influence_acme.system import config as config_lib
from influence_acme.system import variants

# Game -> environment steps in which it is learned, as far as it is.
NUM_STEPS = {
  'cleanup_small': 2_000_000,
  'harvest_small': 2_000_000,
  'cleanup': 10_000_000,
  'harvest': 10_000_000,
}
# Game -> what differs from the other games.
_OF_GAME: dict[str, dict[str, Any]] = {
  'cleanup': {'learning_rate_steps': 20_000_000},
  'harvest': {'learning_rate_steps': 20_000_000},
  # Episodes of 30 steps, learned in 300,000. At first entropy is worth more
  # than an apple, so that agent_1 sees many openings before it knows how to
  # answer them: until then nothing pays. With a longer sight than this discount
  # agent_0 puts opening off.
  'box_trapped': {
    'unroll_length': 30,
    'batch_size': 32,
    'max_queue_size': 64,
    'discount': 0.95,
    'entropy_cost_start': 0.6,
    'entropy_cost': 0.02,
    'entropy_cost_steps': 225_000,
    'learning_rate': 1e-3,
    'learning_rate_end': 1e-4,
    'learning_rate_steps': 300_000,
    'influence_curriculum_steps': 1,
  },
}
_WEIGHTS = {'box_trapped': 4.0}  # Of influence.


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
    'learning_rate_steps': 4_000_000,
    'influence_curriculum_steps': 1_000_000,
  }
  fields |= _OF_GAME.get(game, {})
  if game in _WEIGHTS and variant in variants.names(rewarded=True):
    fields['influence_weight'] = _WEIGHTS[game]
  if variant in ('moa', 'moa_baseline'):
    fields['moa_loss_weight'] = 1.0
  return config_lib.InfluenceConfig(**{**fields, **overrides})
