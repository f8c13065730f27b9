"""Configures the PPO update."""

import dataclasses

from influence_acme import checks


@dataclasses.dataclass(frozen=True)
class PPOConfig:
  """Configures the PPO update, and validates its fields.

  Attributes:
    clip: of the ratio of probabilities, around 1.
    gae_lambda: mixing parameter of the advantages.
    num_epochs: passes over a batch.
    num_minibatches: of whole sequences, in each epoch.
    advantage_floor: least deviation that advantages are normalised by, as a
      share of the unit of values.
  """

  clip: float = 0.2
  gae_lambda: float = 0.95
  num_epochs: int = 3
  num_minibatches: int = 4
  advantage_floor: float = 0.02

  def __post_init__(self):
    """Raises ValueError: a field is out of range."""
    checks.normalise(self)
    checks.number(self, 'gae_lambda', high=1.0)
    checks.positive(self, 'clip', 'advantage_floor')
    checks.count(self, 'num_epochs', 'num_minibatches')
