"""Random search: settings drawn around the paper's best ones.

The paper gives two ranges: 1 to 4 influencers, and C of 0.2e8 to 3.5e8 steps.
For every other number we draw from half the smallest to twice the largest value
that its tables hold for any game or variant, log-uniformly; for other options
from the values that they hold. How slowly inequity-averse agents forget stays.
"""

import math
import zlib
from typing import Any

import numpy as np

from influence_acme import ops
from influence_acme.system import presets

_CHOICES: dict[str, tuple[Any, ...]] = {
  'influence_measure': tuple(ops.MEASURES),
  'influencee_reward': (False, True),
  'moa_only_visible': (False, True),
  'message_extrinsic_weight': (0.0, 1.0),
  'num_symbols': (7, 9),
  'message_embedding_size': (16, 32),
  'inequity_smoothing': (0.975,),
}
_CURRICULUM = (20_000_000, 350_000_000)
_MAX_INFLUENCERS = 4


def draw(
  experiment: str,
  game: str,
  variant: str,
  *,
  index: int,
  seed: int,
  num_agents: int,
) -> dict[str, Any]:
  """Draws one setting of a variant, whose index counts from 0.

  What two variants share they share in every setting, so that none has had the
  better draws; and settings do not depend on how many are drawn. At least one
  of the agents is no influencer.

  Returns:
    Field of `InfluenceConfig` -> value, for the fields of the paper's column; a
    beta of 0 stays 0.

  Raises:
    ValueError: the paper has no such column of a variant.
  """
  settings = presets.settings(experiment, game, variant)
  return {
    name: value
    if name == 'influence_weight' and value == 0
    else _draw_field(name, index, seed, num_agents)
    for name, value in settings.items()
  }


def log_range(name: str) -> tuple[float, float]:
  """Returns the range of a field, by its values in all of the tables."""
  values = [
    presets.settings(experiment, game, variant).get(name)
    for experiment, variants in presets.EXPERIMENTS.items()
    for game in presets.GAMES
    for variant in variants
  ]
  found = [value for value in values if value]
  return min(found) / 2, max(found) * 2


def _draw_field(name: str, index: int, seed: int, num_agents: int) -> Any:
  rng = np.random.default_rng([seed, index, zlib.crc32(name.encode())])
  if name in _CHOICES:
    return _CHOICES[name][rng.integers(len(_CHOICES[name]))]
  if name == 'num_influencers':
    return int(rng.integers(1, min(_MAX_INFLUENCERS, num_agents - 1) + 1))
  if name == 'influence_curriculum_steps':
    return int(rng.integers(*_CURRICULUM, endpoint=True))
  low, high = map(math.log, log_range(name))
  return math.exp(rng.uniform(low, high))
